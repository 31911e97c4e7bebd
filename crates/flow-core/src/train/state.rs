//! The state of a training run: all of it is in a checkpoint.

use serde::{Deserialize, Serialize};

use crate::{
    cpu::training::tensors::Weights,
    train::{learner::Learner, record::TrainingRecord},
};

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
