//! Progress of a training run.

/// State at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Epochs done.
    pub done: usize,
    /// Epochs in total.
    pub total: usize,
    /// Mean negative log-likelihood of the batches of the epoch, in training mode and standardised units.
    pub loss: f64,
    /// Mean log-likelihood of the held-out rows in standardised units; `None` if there are none.
    pub held_out: Option<f64>,
    /// Training rows per second since the start or the resumption of the run.
    pub rows_per_second: f64,
    /// Seconds until the end of the last epoch at that speed.
    pub seconds_left: f64,
}

/// Receives the progress of a training run. By default every method does nothing.
pub trait TrainingObserver {
    /// Called at the start with the total number of optimiser steps.
    fn start(&mut self, steps: usize) {
        let _ = steps;
    }

    /// Called after [`start`](Self::start) when the run resumes from a checkpoint after `done` steps.
    fn resume(&mut self, done: usize) {
        let _ = done;
    }

    /// Called after a step with the mean negative log-likelihood of its batch in standardised units.
    fn step(&mut self, loss: f64) {
        let _ = loss;
    }

    /// Called when a step is skipped because its loss or gradient is not finite.
    fn skipped(&mut self, step: usize) {
        let _ = step;
    }

    /// Whether to stop after this step; a resumable run then writes its checkpoint first.
    fn stop(&mut self) -> bool {
        false
    }

    /// Called after an epoch.
    fn epoch(&mut self, epoch: &Epoch) {
        let _ = epoch;
    }
}

impl TrainingObserver for () {}
