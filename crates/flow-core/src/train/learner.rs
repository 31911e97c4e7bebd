//! What takes the steps of a run.

use rand_chacha::ChaCha8Rng;

use crate::{cpu::training::tensors::Weights, error::FlowError};

/// The message for moments of other shapes.
pub(crate) const OTHER_MOMENTS: &str = "Adam's moments have other shapes than the weights";

/// The result of a step.
pub(crate) struct Outcome {
    /// Mean negative log-likelihood of the batch.
    pub(crate) loss: f64,
    /// Whether the weights changed; they do not if the loss or its gradient is not finite.
    pub(crate) moved: bool,
}

/// Weights in training: by burn on its device, or by this crate on a CPU.
pub(crate) trait Learner {
    /// Takes a step on a batch of standardised rows, `[n, d]`. `index` counts the steps; `rng` draws the
    /// units that dropout drops.
    fn step(
        &mut self,
        batch: &[f64],
        rate: f64,
        index: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Outcome, FlowError>;

    /// The weights.
    fn weights(&self) -> Result<Weights, FlowError>;

    /// The average of the weights, or the weights if there is no average.
    fn averaged(&self) -> Result<Weights, FlowError>;

    /// Restarts from `weights`, with new moments and a new average.
    fn restart(&mut self, weights: &Weights) -> Result<(), FlowError>;

    /// The state without the weights.
    fn save(&self) -> Result<Saved, FlowError>;

    /// Resumes from weights and the result of [`save`](Self::save).
    ///
    /// # Errors
    /// What is wrong with `saved`.
    fn restore(&mut self, weights: Weights, saved: Saved) -> Result<(), String>;

    /// Name of this implementation; a checkpoint must have the same.
    fn name(&self) -> &'static str;
}

/// State of a learner without its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Saved {
    /// The average of the weights; empty if there is none.
    pub(crate) average: Weights,
    /// First and second moments of Adam, in the order of the learner.
    pub(crate) moments: [Weights; 2],
    /// Steps of Adam.
    pub(crate) steps: u32,
}
