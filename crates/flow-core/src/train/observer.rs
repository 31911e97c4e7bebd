//! What a training run tells while it runs.

/// State at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Epochs done.
    pub done: usize,
    /// Epochs in all.
    pub total: usize,
    /// Mean negative log-likelihood over the epoch's batches, in training mode.
    pub loss: f64,
    /// Mean log-likelihood of the held-out rows in standardised units; `None` without any.
    pub held_out: Option<f64>,
    /// Training rows a second since the run began or was taken up again.
    pub rows_per_second: f64,
    /// Seconds until the last epoch would end at that speed.
    pub seconds_left: f64,
}

/// Hears how a training run goes; every method does nothing unless it is written.
pub trait Observer {
    /// The run begins: `steps` optimiser steps in all.
    fn start(&mut self, steps: usize) {
        let _ = steps;
    }

    /// The run is taken up again after `done` steps; called after [`start`](Self::start).
    fn resume(&mut self, done: usize) {
        let _ = done;
    }

    /// A step is done; `loss` is the mean negative log-likelihood of its batch in standardised
    /// units.
    fn step(&mut self, loss: f64) {
        let _ = loss;
    }

    /// A step is left out because its loss or gradient is not finite.
    fn skipped(&mut self, step: usize) {
        let _ = step;
    }

    /// Whether to stop after this step; a resumable run first writes its checkpoint.
    fn stop(&mut self) -> bool {
        false
    }

    /// An epoch is done.
    fn epoch(&mut self, epoch: &Epoch) {
        let _ = epoch;
    }
}

impl Observer for () {}
