//! Crude Monte Carlo: draws from the nominal density until a target is met.
//!
//! $\hat P = n_F / n$ with coefficient of variation $\sqrt{(1 - P)/(P n)}$: unbeatable in robustness, and in
//! cost only for events that are not rare.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, StopReason, WeightedSample};
use crate::{Density, Error, EvalError, LimitState, rng};

/// Crude Monte Carlo. See the [module](self).
///
/// ```
/// use latent_is::{FnLimitState, MonteCarlo, StandardNormal};
///
/// let g = FnLimitState::new(2, |x: &[f64]| 1.0 - x[0]);
/// let estimate = MonteCarlo::default().estimate(&StandardNormal::new(2), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(0.15866));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonteCarlo {
    batch: usize,
    budget: u64,
    target_cov: Option<f64>,
    min_failures: u64,
}

impl Default for MonteCarlo {
    /// Batches of 10 000 until a coefficient of variation of 5 % or a million evaluations.
    fn default() -> Self {
        Self { batch: 10_000, budget: 1_000_000, target_cov: Some(0.05), min_failures: 100 }
    }
}

/// Builds a [`MonteCarlo`]; starts from its default.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct MonteCarloBuilder {
    method: MonteCarlo,
}

impl MonteCarloBuilder {
    /// Draws evaluated at once, between two looks at the target.
    pub fn batch(mut self, batch: usize) -> Self {
        self.method.batch = batch;
        self
    }

    /// Most evaluations.
    pub fn budget(mut self, budget: u64) -> Self {
        self.method.budget = budget;
        self
    }

    /// Coefficient of variation at which to stop; `None` uses the whole budget.
    pub fn target_cov(mut self, target: Option<f64>) -> Self {
        self.method.target_cov = target;
        self
    }

    /// Failures needed before the target can end the run.
    pub fn min_failures(mut self, failures: u64) -> Self {
        self.method.min_failures = failures;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range.
    pub fn build(self) -> Result<MonteCarlo, Error> {
        let m = self.method;
        Error::check(m.batch >= 1, "batch", "at least 1", m.batch)?;
        Error::check(m.budget >= 2, "budget", "at least 2", m.budget)?;
        let target = m.target_cov.unwrap_or(1.0);
        Error::check(target > 0.0 && target.is_finite(), "target_cov", "positive", target)?;
        Ok(m)
    }
}

impl MonteCarlo {
    /// A builder that starts from the default.
    pub fn builder() -> MonteCarloBuilder {
        MonteCarloBuilder::default()
    }

    /// Estimates the failure probability.
    ///
    /// # Errors
    /// [`Error::Evaluation`] when the limit state or the nominal density fails.
    pub fn estimate(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<Estimate, Error> {
        EvalError::check_dim(nominal.dim(), g.dim())?;
        let (mut n, mut failures, mut unknown) = (0, 0_u64, 0);
        let mut points: Vec<f64> = Vec::new();
        let mut stopped = StopReason::Budget;
        for batch in 0.. {
            let size = (self.budget - n).min(self.batch as u64) as usize;
            if size == 0 {
                break;
            }
            let x = nominal.sample(size, rng::derive(seed, "monte carlo", batch))?;
            let values = g.evaluate(x.as_view())?;
            EvalError::check_dim(size, values.len())?;
            n += size as u64;
            for (column, value) in x.column_iter().zip(&values) {
                unknown += u64::from(value.is_nan());
                if *value <= 0.0 {
                    points.extend(column.iter());
                    failures += 1;
                }
            }
            let share = failures as f64 / n as f64;
            let cov = ((1.0 - share) / (share * n as f64)).sqrt();
            if failures >= self.min_failures && self.target_cov.is_some_and(|t| cov <= t) {
                stopped = StopReason::Converged;
                break;
            }
        }
        if self.target_cov.is_none() {
            stopped = StopReason::Converged;
        }
        let sample = WeightedSample {
            points: DMatrix::from_vec(g.dim(), failures as usize, points),
            ln_w: DVector::zeros(failures as usize),
        };
        let mut estimate = Estimate::from_draws(sample, n);
        estimate.unknown = unknown;
        estimate.stopped = stopped;
        Ok(estimate)
    }
}
