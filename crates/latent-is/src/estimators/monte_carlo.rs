//! Crude Monte Carlo: draws from the nominal density until a target is met.
//!
//! $\hat P = n_F / n$ with coefficient of variation $\sqrt{(1 - P)/(P n)}$: unbeatable in robustness, and in
//! cost only for events that are not rare.

use nalgebra::DVector;
use serde::{Deserialize, Serialize};

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::method::stepwise::{Progress, Stepwise};
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::draws::Draws;
use crate::result::estimate::{Estimate, StopReason};
use crate::settings::{Settings, settings};

/// Crude Monte Carlo. See the [module](self).
///
/// ```
/// use latent_is::{Estimator, FnLimitState, MonteCarlo, StandardNormal};
///
/// let g = FnLimitState::new(2, |x: &[f64]| 1.0 - x[0]);
/// let estimate = MonteCarlo::default().estimate(&StandardNormal::new(2), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(0.15866));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
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

settings!(MonteCarlo {
    /// Draws evaluated at once, between two checks of the target.
    batch: usize,
    /// Largest number of evaluations.
    budget: u64,
    /// Coefficient of variation at which to stop; `None` uses the whole budget.
    target_cov: Option<f64>,
    /// Failures needed before the target can end the run.
    min_failures: u64,
});

impl Settings for MonteCarlo {
    fn check(&self) -> Result<(), Error> {
        Error::check(self.batch >= 1, "batch", "at least 1", self.batch)?;
        Error::check(self.budget >= 2, "budget", "at least 2", self.budget)?;
        let target = self.target_cov.unwrap_or(1.0);
        Error::check(target > 0.0 && target.is_finite(), "target_cov", "positive", target)
    }
}

impl MonteCarlo {
    /// Draws of the next batch; zero when the budget is spent.
    fn next_batch(&self, state: &MonteCarloState) -> u64 {
        (self.budget - state.draws.n).min(self.batch as u64)
    }
}

/// A run between two batches; its serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonteCarloState {
    draws: Draws,
    batches: u64,
    stopped: Option<StopReason>,
}

impl MonteCarloState {
    /// Whether the run has ended.
    pub fn done(&self) -> bool {
        self.stopped.is_some()
    }
}

impl Stepwise for MonteCarlo {
    type State = MonteCarloState;

    fn name(&self) -> &'static str {
        "monte-carlo"
    }

    fn init(&self, dim: usize) -> MonteCarloState {
        MonteCarloState { draws: Draws::new(dim), batches: 0, stopped: None }
    }

    fn step(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: MonteCarloState,
    ) -> Result<MonteCarloState, Error> {
        if state.stopped.is_some() {
            return Ok(state);
        }
        let size = self.next_batch(&state) as usize;
        let x = nominal.sample(size, rng::derive(seed, "monte carlo", state.batches))?;
        let values = g.evaluate(x.as_view())?;
        EvalError::check_dim(size, values.len())?;
        state.draws.add(x.as_view(), &values, &DVector::zeros(size), 0.0);
        state.batches += 1;
        let cov = state.draws.tally().cov;
        let enough = state.draws.failures() >= self.min_failures;
        state.stopped = if enough && self.target_cov.is_some_and(|target| cov <= target) {
            Some(StopReason::Converged)
        } else if self.next_batch(&state) == 0 {
            let asked = self.target_cov.is_none();
            Some(if asked { StopReason::Converged } else { StopReason::Budget })
        } else {
            None
        };
        Ok(state)
    }

    fn progress(&self, state: &MonteCarloState) -> Progress {
        let tally = state.draws.tally();
        Progress {
            phase: "draws",
            done: state.done(),
            evaluations: state.draws.n,
            next: self.next_batch(state),
            ln_pf: (tally.failures > 0).then_some(tally.ln_pf),
            cov: (tally.failures >= self.min_failures).then_some(tally.cov),
            level: None,
        }
    }

    fn done(&self, state: &MonteCarloState) -> bool {
        state.done()
    }

    fn finish(&self, state: MonteCarloState) -> Option<Estimate> {
        if state.draws.n == 0 {
            return None;
        }
        let mut estimate = state.draws.estimate();
        estimate.stopped = state.stopped.unwrap_or(StopReason::Budget);
        Some(estimate)
    }
}
