//! Weighted draws so far: the failing ones and the NaN ones.

use nalgebra::{DMatrix, DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::result::estimate::{Estimate, Tally, WeightedSample};

/// Log-weight of a NaN draw whose weight has no bound: the interval then ends at one.
const UNBOUNDED: f64 = 700.0;

/// Draws from one proposal, added batch by batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draws {
    dim: usize,
    pub(crate) n: u64,
    /// The failing draws, one after the other, and their log-weights.
    points: Vec<f64>,
    ln_w: Vec<f64>,
    /// Log-weights of the NaN draws.
    nan_evaluations: Vec<f64>,
}

impl Draws {
    pub(crate) fn new(dim: usize) -> Self {
        Self { dim, n: 0, points: Vec::new(), ln_w: Vec::new(), nan_evaluations: Vec::new() }
    }

    /// Adds draws `x: [d, n]` with limit-state values and log-weights. A log-weight that is NaN is
    /// one that could not be computed; it is at most `most`.
    pub(crate) fn add(
        &mut self,
        x: DMatrixView<'_, f64>,
        values: &DVector<f64>,
        ln_w: &DVector<f64>,
        most: f64,
    ) {
        self.n += x.ncols() as u64;
        for ((point, value), ln_w) in x.column_iter().zip(values).zip(ln_w) {
            let fails = *value <= 0.0;
            if value.is_nan() || (fails && ln_w.is_nan()) {
                let bound = if ln_w.is_nan() { most } else { *ln_w };
                self.nan_evaluations.push(bound.clamp(-UNBOUNDED, UNBOUNDED));
            } else if fails && *ln_w > f64::NEG_INFINITY {
                self.points.extend(point.iter());
                self.ln_w.push(*ln_w);
            }
        }
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn failures(&self) -> u64 {
        self.ln_w.len() as u64
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally::new(&self.ln_w, self.n)
    }

    pub(crate) fn estimate(&self) -> Estimate {
        let points = DMatrix::from_column_slice(self.dim, self.ln_w.len(), &self.points);
        let sample = WeightedSample { points, ln_w: DVector::from_column_slice(&self.ln_w) };
        let mut estimate = Estimate::from_draws(sample, self.n);
        estimate.counts.nan_evaluations = self.nan_evaluations.len() as u64;
        estimate.nan_as_failing = (!self.nan_evaluations.is_empty()).then(|| {
            let all: Vec<f64> = self.ln_w.iter().chain(&self.nan_evaluations).copied().collect();
            Tally::new(&all, self.n)
        });
        estimate
    }
}
