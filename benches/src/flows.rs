//! The flows that benches and peers measure.

use flow_core::{Device, Flow, FlowConfig, Precision, TrainSettings, bijection::Standardize};
use nalgebra::DMatrix;

/// Name and architecture of the flows of the paper's three systems: features, hidden units, steps.
pub const ARCHITECTURES: [(&str, usize, usize, usize); 3] =
    [("robot", 3, 256, 5), ("racecar", 8, 256, 10), ("f16", 12, 256, 15)];

/// An architecture as the peer builds it.
pub fn config(features: usize, hidden: usize, steps: usize) -> FlowConfig {
    FlowConfig { hidden, steps, ..FlowConfig::new(features) }
}

/// An untrained flow; how fast one is does not depend on its weights.
///
/// # Panics
/// When the architecture is out of range.
pub fn flow(config: &FlowConfig, device: &Device) -> Flow {
    let d = config.features;
    let moments = Standardize::new(vec![0.0; d], vec![1.0; d]).expect("valid moments");
    Flow::init(config, moments, 1, Precision::F32, device).expect("a valid flow")
}

/// Training over all rows once, in steps of `batch` rows.
pub fn one_epoch(batch: usize) -> TrainSettings {
    TrainSettings {
        epochs: 1,
        batch_size: batch,
        validation_share: 0.0,
        ..TrainSettings::default()
    }
}

/// `n` points in general position, `[d, n]`.
pub fn points(d: usize, n: usize) -> DMatrix<f64> {
    DMatrix::from_fn(d, n, |i, j| 1.5 * ((i * 7 + 1) as f64 * (j + 1) as f64 * 0.618).sin())
}
