//! What a worker is and what it says.

use std::ops::Range;

use nalgebra::DMatrixView;
use sim_core::{FailureKind, Status};

use crate::error::ProgramError;

/// What a worker says about one sample: its outputs, or why there are none.
pub(crate) type Answer = Result<Vec<f64>, Status>;

/// What a worker says about a job.
pub(crate) enum Attempt {
    /// One answer per sample.
    Answers(Vec<Answer>),
    /// No answer for the job as a whole. The worker starts anew.
    Lost {
        /// Crashes and time-outs are tried again.
        kind: FailureKind,
        /// What happened, with the last lines of standard error.
        message: String,
    },
    /// The worker can never work.
    Fatal(ProgramError),
}

impl Attempt {
    pub(crate) fn lost(kind: FailureKind, message: impl Into<String>) -> Self {
        Self::Lost { kind, message: message.into() }
    }
}

/// A batch of samples.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// Inputs, `[m, n]`.
    pub(crate) w: DMatrixView<'a, f64>,
    /// Seeds, `[n]`.
    pub(crate) seeds: &'a [u64],
}

/// What does the work.
pub(crate) trait Worker: Send {
    /// Whether it is started.
    fn is_alive(&self) -> bool;
    /// Evaluates the samples of `job`.
    fn attempt(&mut self, batch: Batch<'_>, job: Range<usize>) -> Attempt;
}

/// The values, if all are finite.
pub(crate) fn finite(names: &[String], values: Vec<f64>) -> Answer {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(i) => {
            let message = format!("output `{}` is not a finite number", names[i]);
            Err(Status::failed(FailureKind::NotFinite, message))
        }
    }
}

/// A sample whose answer cannot be used.
pub(crate) fn bad(message: String) -> Status {
    Status::failed(FailureKind::BadAnswer, message)
}
