//! One evaluation of a model.

use sim_core::model::Status;

/// One evaluation of a model: what went in, what came out, and what it took.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Inputs, `[m]`.
    pub inputs: Vec<f64>,
    /// Seed of the randomness that is not an input.
    pub seed: u64,
    /// Outputs, `[d]`; NaN in all where there is no outcome.
    pub outputs: Vec<f64>,
    /// Whether there is an outcome, and why not.
    pub status: Status,
    /// Time that it took.
    pub seconds: f64,
    /// The worker that did it.
    pub worker: u32,
    /// Level of the estimator that asked for it; 0 where there are no levels.
    pub level: u32,
}
