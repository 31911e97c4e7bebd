//! The tensors of an architecture, by name and shape.
//!
//! A file is compared with them before its flow is built: a configuration that does not belong to the
//! tensors is then refused before memory for its parameters is asked for.

use std::collections::BTreeSet;

use crate::{
    bijection::{
        chain::{Kind, layout, prefix},
        rq_spline::RqSpline,
    },
    config::FlowConfig,
    error::FlowError,
    nn::residual::BLOCKS,
    state_dict::{Problems, StateDict},
};

/// A tensor of an architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) name: String,
    /// `None` for a tensor that may be absent and is not used.
    pub(crate) shape: Option<Vec<usize>>,
}

/// The tensors of the flows of `config`, in the order of the layers. They are made one layer at a time.
pub(crate) fn expected(config: &FlowConfig) -> impl Iterator<Item = Expected> {
    let layers = layout(config).into_iter().enumerate();
    layers.flat_map(move |(index, kind)| {
        let mut list = Vec::new();
        of_layer(&mut Part { prefix: prefix(index), list: &mut list }, kind, config);
        list
    })
}

impl StateDict {
    /// Compares names and shapes with those of an architecture. Takes no memory for its parameters.
    ///
    /// # Errors
    /// [`FlowError::Weights`] names tensors that are missing, of another shape or not part of the flow.
    pub(crate) fn check_names_and_shapes(&self, config: &FlowConfig) -> Result<(), FlowError> {
        let mut problems = Problems::default();
        let mut surplus: BTreeSet<&str> = self.iter().map(|(name, _)| name).collect();
        for tensor in expected(config) {
            let name = tensor.name.as_str();
            surplus.remove(name);
            let Some(shape) = tensor.shape else { continue };
            let Some(found) = self.get(name) else {
                problems.add(format!("`{name}` is missing"));
                continue;
            };
            let (count, needed) = (found.data.len(), shape.iter().product::<usize>());
            if found.shape != shape {
                problems.add(format!("`{name}` has shape {:?}, not {shape:?}", found.shape));
            } else if count != needed {
                problems.add(format!("`{name}` has {count} entries, not {needed}"));
            }
        }
        for name in surplus {
            problems.add(format!("`{name}` is not part of the flow"));
        }
        problems.result()
    }
}

/// The tensors under one prefix.
struct Part<'a> {
    prefix: String,
    list: &'a mut Vec<Expected>,
}

impl Part<'_> {
    fn add(&mut self, name: &str, shape: impl Into<Vec<usize>>) {
        let name = format!("{}.{name}", self.prefix);
        self.list.push(Expected { name, shape: Some(shape.into()) });
    }

    fn under(&mut self, name: &str) -> Part<'_> {
        Part { prefix: format!("{}.{name}", self.prefix), list: self.list }
    }
}

fn of_layer(part: &mut Part<'_>, kind: Kind, config: &FlowConfig) {
    let d = config.features();
    let each = RqSpline::new(config.bins(), config.tail_bound()).raw_len();
    match kind {
        Kind::Reverse => part.add("_permutation", [d]),
        Kind::Lu => {
            part.add("lower_entries", [d * (d - 1) / 2]);
            part.add("upper_entries", [d * (d - 1) / 2]);
            part.add("unconstrained_upper_diag", [d]);
            part.add("bias", [d]);
        }
        Kind::Coupling { step } => {
            let (transformed, identity) = config.coupling_features(step);
            part.add("identity_features", [identity.len()]);
            part.add("transform_features", [transformed.len()]);
            let shape = [identity.len(), transformed.len() * each];
            of_net(&mut part.under("transform_net"), shape, false, config);
        }
        Kind::Autoregressive => {
            of_net(&mut part.under("autoregressive_net"), [d, d * each], true, config);
        }
    }
}

fn of_net(part: &mut Part<'_>, [inputs, outputs]: [usize; 2], masked: bool, config: &FlowConfig) {
    let hidden = config.hidden();
    let mut linear = |name: &str, [inputs, outputs]: [usize; 2]| {
        let mut part = part.under(name);
        part.add("weight", [outputs, inputs]);
        part.add("bias", [outputs]);
        if masked {
            part.add("mask", [outputs, inputs]);
            part.add("degrees", [outputs]);
        }
    };
    linear("initial_layer", [inputs, hidden]);
    for b in 0..BLOCKS {
        for i in 0..2 {
            linear(&format!("blocks.{b}.linear_layers.{i}"), [hidden, hidden]);
        }
    }
    linear("final_layer", [hidden, outputs]);
    if config.batch_norm() {
        for b in 0..BLOCKS {
            for i in 0..2 {
                let mut part = part.under(&format!("blocks.{b}.batch_norm_layers.{i}"));
                for name in ["weight", "bias", "running_mean", "running_var"] {
                    part.add(name, [hidden]);
                }
                let name = format!("{}.num_batches_tracked", part.prefix);
                part.list.push(Expected { name, shape: None });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{configs, shaken};

    #[test]
    fn it_is_what_a_flow_writes() {
        let one = FlowConfig::builder(1).hidden(5).steps(3).build().unwrap();
        for config in configs().into_iter().chain([one]) {
            let (state, _) = shaken(&config);
            let written: BTreeMap<_, _> = state
                .iter()
                .map(|(name, tensor)| (name.to_owned(), tensor.shape.clone()))
                .collect();
            let ours: BTreeMap<_, _> = expected(&config)
                .map(|tensor| (tensor.name, tensor.shape.unwrap_or_default()))
                .collect();
            assert_eq!(ours, written, "{config:?}");
        }
    }
}
