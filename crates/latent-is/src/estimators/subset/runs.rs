//! Independent runs together.

use nalgebra::{DMatrix, DVector};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::estimators::subset::run::RunResult;
use crate::result::estimate::RunsRecord;

/// Runs from which on their spread says something.
const COMPARED: usize = 5;

/// The finished runs.
pub(super) struct Runs<'a>(pub(super) &'a [RunResult]);

impl Runs<'_> {
    fn len(&self) -> f64 {
        self.0.len() as f64
    }

    /// The mean of the estimates.
    pub(super) fn pf(&self) -> f64 {
        self.0.iter().map(RunResult::pf).sum::<f64>() / self.len()
    }

    /// The coefficient of variation of the mean: the larger of what the runs claim and, with enough runs,
    /// of what their estimates show.
    pub(super) fn cov(&self) -> f64 {
        let (n, mean) = (self.len(), self.pf());
        let claimed: f64 = self.0.iter().map(|run| run.pf().powi(2) * run.squared_cov).sum();
        let claimed = claimed / (n * mean).powi(2);
        let shown: f64 = self.0.iter().map(|run| (run.pf() - mean).powi(2)).sum();
        let shown = if self.compared() { shown / (n * (n - 1.0) * mean * mean) } else { 0.0 };
        claimed.max(shown).sqrt()
    }

    /// Whether there are enough runs for their spread.
    pub(super) fn compared(&self) -> bool {
        self.0.len() >= COMPARED
    }

    /// The failing particles of all runs with the logarithms of their weights, and the number of particles in the
    /// last levels.
    pub(super) fn pooled(&self) -> (DMatrix<f64>, DVector<f64>, u64) {
        let d = self.0.iter().map(|run| run.points.nrows()).max().unwrap_or(0);
        let draws: u64 = self.0.iter().map(|run| run.draws).sum();
        let (mut points, mut ln_w) = (Vec::new(), Vec::new());
        for run in self.0.iter().filter(|run| run.points.ncols() > 0) {
            points.extend_from_slice(run.points.as_slice());
            ln_w.extend(std::iter::repeat_n(run.ln_level, run.points.ncols()));
        }
        (DMatrix::from_vec(d, ln_w.len(), points), DVector::from_vec(ln_w), draws)
    }

    /// How well the runs agree: the sum of squares of their differences from the mean, in units of what they claim,
    /// has about a chi-squared distribution.
    pub(super) fn record(&self) -> RunsRecord {
        let (n, mean) = (self.0.len(), self.pf());
        let sum: f64 = self
            .0
            .iter()
            .map(|run| ((run.pf() - mean) / mean).powi(2) / run.squared_cov.max(1e-300))
            .sum();
        let freedom = (n as f64 - 1.0).max(1.0);
        let p_value = match ChiSquared::new(freedom) {
            Ok(distribution) if n > 1 => distribution.sf(sum),
            _ => 1.0,
        };
        RunsRecord { runs: n, p_value }
    }
}
