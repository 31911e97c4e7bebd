//! Helpers of unit tests.

use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::{
    bijection::standardise::Standardise,
    config::{FlowConfig, LinearKind, TransformKind},
    device::{Precision, default_device},
    flow::Flow,
    state_dict::StateDict,
};

/// Standard normal numbers.
pub(crate) fn normals(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    DMatrix::from_fn(d, n, |_, _| rng.sample(StandardNormal))
}

/// A flow with every weight changed from its initial value.
pub(crate) fn shaken(config: &FlowConfig) -> (StateDict, Standardise) {
    let d = config.features();
    let moments = Standardise::new(vec![3.0; d], vec![0.5; d]).unwrap();
    let device = default_device();
    let flow = Flow::init(config, moments.clone(), 1, Precision::F64, &device).unwrap();
    let mut state = flow.state_dict().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let names: Vec<_> = state.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let mut tensor = state.get(&name).unwrap().clone();
        // Wide layers sum more terms, so each changes less.
        let scale = match name.as_str() {
            n if n.ends_with("mask") || tensor.integer => 0.0,
            n if n.contains("net") => 0.6 / (config.hidden() as f64).sqrt(),
            _ => 0.2,
        };
        for v in &mut tensor.data {
            *v += scale * rng.sample::<f64, _>(StandardNormal);
        }
        if name.ends_with("running_var") {
            tensor.data.iter_mut().for_each(|v| *v = v.abs() + 0.1);
        }
        state.insert(name, tensor);
    }
    (state, moments)
}

/// Architectures of every kind.
pub(crate) fn configs() -> Vec<FlowConfig> {
    let mut all = Vec::new();
    for (d, hidden, steps, bins) in
        [(2, 12, 2, 8), (3, 64, 5, 8), (5, 64, 3, 4), (8, 256, 4, 8), (12, 64, 4, 12)]
    {
        for batch_norm in [false, true] {
            for linear in [LinearKind::Lu, LinearKind::Permutation] {
                for transform in [TransformKind::Coupling, TransformKind::Autoregressive] {
                    let builder = FlowConfig::builder(d).hidden(hidden).steps(steps).bins(bins);
                    let builder = builder.batch_norm(batch_norm).linear(linear);
                    all.push(builder.transform(transform).tail_bound(3.5).build().unwrap());
                }
            }
        }
    }
    all
}

/// Root mean square and largest entry of the difference.
pub(crate) fn deviation<'a>(
    a: impl IntoIterator<Item = &'a f64>,
    b: impl IntoIterator<Item = &'a f64>,
) -> [f64; 2] {
    let all: Vec<f64> = a.into_iter().zip(b).map(|(a, b)| (a - b).abs()).collect();
    let square: f64 = all.iter().map(|v| v * v).sum();
    [(square / all.len() as f64).sqrt(), all.iter().fold(0.0, |a, b| a.max(*b))]
}
