//! Probabilities by counting.

use serde::{Deserialize, Serialize};

/// The share of draws in an event, with its standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountedProbability {
    /// Share of the draws in the event.
    pub pf: f64,
    /// Binomial standard error.
    pub se: f64,
    /// Number of draws.
    pub draws: usize,
}

impl CountedProbability {
    /// The share of `count` in `draws`.
    pub fn new(count: usize, draws: usize) -> Self {
        let pf = count as f64 / draws as f64;
        Self { pf, se: (pf * (1.0 - pf) / draws as f64).sqrt(), draws }
    }
}
