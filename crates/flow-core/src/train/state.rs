//! The state of a training run: all of it is in a checkpoint.

use serde::{Deserialize, Serialize};

use crate::{
    cpu::training::tensors::Weights,
    train::{learner::Learner, record::TrainingRecord},
};

/// Consecutive skipped steps after which the weights are reset to those of the last epoch.
pub(crate) const SKIPS: usize = 5;
/// Resets of the weights after which the run ends with an error.
pub(crate) const ROLLBACKS: usize = 3;

/// What changes from step to step.
pub(crate) struct State<'a> {
    pub(crate) learner: Box<dyn Learner + 'a>,
    /// Weights at the end of the last epoch, to which the run can return.
    pub(crate) last: Weights,
    /// Weights with the best held-out likelihood.
    pub(crate) best: Weights,
    pub(crate) progress: Progress,
    pub(crate) record: TrainingRecord,
}

/// The position in a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Steps done, with the skipped ones.
    pub(crate) step: usize,
    /// Sum of the losses of this epoch.
    pub(crate) sum: f64,
    /// Steps of this epoch that were not skipped.
    pub(crate) counted: usize,
    /// Consecutive skipped steps.
    pub(crate) skips: usize,
    /// The best held-out likelihood, and its epoch counted from 1.
    pub(crate) best: Option<(f64, usize)>,
}

impl Progress {
    /// Whether a run with `batches` steps per epoch and `steps` in total can be at this position.
    pub(crate) fn fits(&self, record: &TrainingRecord, batches: usize, steps: usize) -> bool {
        let epochs = record.losses.len();
        let best =
            |(value, epoch): (f64, usize)| value.is_finite() && (1..=epochs).contains(&epoch);
        self.step <= steps
            && epochs == self.step / batches
            && (record.held_out.is_empty() || record.held_out.len() == epochs)
            && self.best.is_none_or(best)
            && self.counted <= self.step % batches
            && self.skips < SKIPS
            && record.skipped <= self.step
            && record.rollbacks <= ROLLBACKS
    }
}
