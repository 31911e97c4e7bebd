//! The flows that the benches and the comparisons with peers measure.

use flow_core::{Device, Flow, FlowConfig, Precision, TrainSettings, bijection::Standardise};
use nalgebra::DMatrix;

/// Name and architecture of the flows of the paper's three systems: features, hidden units, steps.
pub const ARCHITECTURES: [(&str, usize, usize, usize); 3] =
    [("robot", 3, 256, 5), ("racecar", 8, 256, 10), ("f16", 12, 256, 15)];

/// Name and architecture of the shipped flows: features, hidden units, steps.
pub const SHIPPED: [(&str, usize, usize, usize); 3] =
    [("robot", 3, 64, 5), ("racecar", 8, 96, 10), ("f16", 12, 96, 12)];

/// An architecture as the peer builds it.
///
/// # Panics
/// When the architecture is out of range.
pub fn config(features: usize, hidden: usize, steps: usize) -> FlowConfig {
    let builder = FlowConfig::builder(features).hidden(hidden).steps(steps);
    builder.build().expect("a valid architecture")
}

/// An untrained flow; its speed does not depend on the weights.
///
/// # Panics
/// Never: the moments are valid.
pub fn flow(config: &FlowConfig, device: &Device) -> Flow {
    let d = config.features();
    let moments = Standardise::new(vec![0.0; d], vec![1.0; d]).expect("valid moments");
    Flow::init(config, moments, 1, Precision::F32, device).expect("a valid flow")
}

/// One epoch over all rows, `batch` rows per step.
///
/// # Panics
/// When `batch` is less than 2.
pub fn one_epoch(batch: usize) -> TrainSettings {
    let builder = TrainSettings::builder().epochs(1).batch_size(batch).validation_share(0.0);
    builder.build().expect("valid settings")
}

/// `n` points in general position, `[d, n]`.
pub fn points(d: usize, n: usize) -> DMatrix<f64> {
    DMatrix::from_fn(d, n, |i, j| 1.5 * ((i * 7 + 1) as f64 * (j + 1) as f64 * 0.618).sin())
}
