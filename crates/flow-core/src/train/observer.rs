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
}

/// Hears how a training run goes; every method does nothing unless it is written.
pub trait Observer {
    /// The run begins: `steps` optimiser steps in all.
    fn start(&mut self, steps: usize) {
        let _ = steps;
    }

    /// A step is done; `loss` is the mean negative log-likelihood of its batch in standardised
    /// units.
    fn step(&mut self, loss: f64) {
        let _ = loss;
    }

    /// An epoch is done.
    fn epoch(&mut self, epoch: &Epoch) {
        let _ = epoch;
    }
}

impl Observer for () {}
