//! A trained flow as the map between latent and target space.

use flow_core::Flow;
use nalgebra::{DMatrix, DMatrixView};
use serde::{Deserialize, Serialize};

use crate::error::EvalError;
use crate::model::transport::{Mapped, Transport};

/// The units of target space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// The units of the data that the flow was trained on.
    #[default]
    Raw,
    /// Standardised with the moments of the training data; densities are per standardised unit. The flow
    /// computes in these units, so nothing is converted.
    #[serde(alias = "standardized")]
    Standardised,
}

/// A [`Flow`] as a [`Transport`].
#[derive(Clone, Debug)]
pub struct FlowTransport {
    flow: Flow,
    units: Units,
}

impl FlowTransport {
    /// `flow` with target space in `units`.
    pub fn new(flow: Flow, units: Units) -> Self {
        Self { flow, units }
    }

    /// The flow.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }
}

impl Transport for FlowTransport {
    fn dim(&self) -> usize {
        self.flow.features()
    }

    fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        EvalError::check_dim(self.dim(), u.nrows())?;
        let x = match self.units {
            Units::Raw => self.flow.decode(u),
            Units::Standardised => self.flow.standardised().decode(u),
        };
        x.map(mapped).map_err(EvalError::failed)
    }

    fn decode_points(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        EvalError::check_dim(self.dim(), u.nrows())?;
        let x = match self.units {
            Units::Raw => self.flow.decode_points(u),
            Units::Standardised => self.flow.standardised().decode_points(u),
        };
        x.map_err(EvalError::failed)
    }

    fn encode(&self, x: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        EvalError::check_dim(self.dim(), x.nrows())?;
        let u = match self.units {
            Units::Raw => self.flow.encode(x),
            Units::Standardised => self.flow.standardised().encode(x),
        };
        u.map(mapped).map_err(EvalError::failed)
    }
}

/// The same points and log-determinants in the type of this crate.
fn mapped(mapped: flow_core::Mapped) -> Mapped {
    Mapped { points: mapped.points, ln_det: mapped.ln_det }
}

#[cfg(test)]
mod tests {
    use flow_core::{FlowConfig, Precision, bijection::Standardise, default_device};

    use super::*;
    use crate::math::rng;

    /// A flow that is far from the identity, near which an untrained one is: every weight is moved.
    fn flow() -> Flow {
        let moments = Standardise::new(vec![10.0, -5.0], vec![2.0, 0.5]).unwrap();
        let config = FlowConfig::builder(2).hidden(8).build().unwrap();
        let device = default_device();
        let flow = Flow::init(&config, moments.clone(), 3, Precision::F64, &device).unwrap();
        let mut state = flow.state_dict().unwrap();
        let tensors: Vec<_> = state.iter().map(|(name, t)| (name.to_owned(), t.clone())).collect();
        for (seed, (name, mut tensor)) in (0..).zip(tensors) {
            if tensor.integer || name.ends_with("running_var") {
                continue;
            }
            let noise = rng::standard_normal(1, tensor.data.len(), seed);
            tensor.data.iter_mut().zip(noise.iter()).for_each(|(v, n)| *v += 0.3 * n);
            state.insert(name, tensor);
        }
        Flow::from_state_dict(&config, moments, state, Precision::F64, &device).unwrap()
    }

    #[test]
    fn units_differ_by_the_moments_alone() {
        let u = rng::standard_normal(2, 200, 1);
        let raw = FlowTransport::new(flow(), Units::Raw).decode(u.as_view()).unwrap();
        let standard = FlowTransport::new(flow(), Units::Standardised).decode(u.as_view()).unwrap();
        for j in 0..u.ncols() {
            let expected =
                [10.0 + 2.0 * standard.points[(0, j)], -5.0 + 0.5 * standard.points[(1, j)]];
            assert!((raw.points[(0, j)] - expected[0]).abs() < 1e-12);
            assert!((raw.points[(1, j)] - expected[1]).abs() < 1e-12);
            // The product of the standard deviations is one.
            assert!((raw.ln_det[j] - standard.ln_det[j]).abs() < 1e-12);
        }
    }

    #[test]
    fn encode_inverts_decode_in_both_units() {
        let u = rng::standard_normal(2, 200, 2);
        for units in [Units::Raw, Units::Standardised] {
            let transport = FlowTransport::new(flow(), units);
            let x = transport.decode(u.as_view()).unwrap();
            assert_eq!(transport.decode_points(u.as_view()).unwrap(), x.points);
            let back = transport.encode(x.points.as_view()).unwrap();
            assert!((back.points - &u).amax() < 1e-9);
            assert!((x.ln_det + back.ln_det).amax() < 1e-9);
        }
    }

    #[test]
    fn a_batch_of_another_dimension_is_refused() {
        let transport = FlowTransport::new(flow(), Units::Raw);
        let error = transport.decode(DMatrix::zeros(3, 4).as_view()).unwrap_err();
        assert_eq!(error.to_string(), "samples have 3 coordinates, the function takes 2");
    }
}
