//! The final estimate: fresh draws from a frozen proposal.
//!
//! $$ \hat P = \frac1n \sum_i \mathbf 1\lbrace g(x_i) \le 0\rbrace \frac{p(x_i)}{q(x_i)}, \qquad x_i \sim q
//!    \text{ independently.} \tag{1} $$
//!
//! Points that shaped $q$ would bias (1), so the search's own points take no part. The proposal is
//! widened by a light defence before it is frozen:
//! $q = a p + (1 - a) [(1 - b) q_\text{fit} + b q_\text{inflated}]$, where the inflated part has the
//! covariances of the fit times a factor. The nominal part bounds every weight by $1/a$.
//!
//! Because search and final draws are separate, a proposal adapted on one event (a surrogate) can be
//! finished on another (the true one) without bias.

use serde::{Deserialize, Serialize};

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::mixture::GaussianMixture;
use crate::mixture::defensive::Proposal;
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::draws::Draws;
use crate::result::estimate::{Estimate, StopReason};
use crate::settings::{Settings, settings};

/// Batches drawn before a target can end the run: a coefficient of variation from few draws is too
/// uncertain to stop on.
const MIN_DRAWS: u64 = 1000;

/// How many fresh draws, from what. See [`FinalStage::run`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct FinalStage {
    batch: usize,
    draws: Option<u64>,
    target_cov: Option<f64>,
    budget: Option<u64>,
    nominal_share: f64,
    inflated_share: f64,
    inflation: f64,
}

impl Default for FinalStage {
    /// Batches of 500 until a coefficient of variation of 2 % or 20 000 evaluations in all; 2 % of
    /// the draws from the nominal density, 8 % from the fit with covariances doubled.
    fn default() -> Self {
        Self {
            batch: 500,
            draws: None,
            target_cov: Some(0.02),
            budget: Some(20_000),
            nominal_share: 0.02,
            inflated_share: 0.08,
            inflation: 2.0,
        }
    }
}

settings!(FinalStage {
    /// Draws evaluated at once, between two checks of the target.
    batch: usize,
    /// A fixed number of draws; `None` leaves it to target and budget.
    draws: Option<u64>,
    /// Coefficient of variation at which to stop, after at least 1000 draws.
    target_cov: Option<f64>,
    /// Evaluations of the limit state in all, those of a search on the same event included.
    budget: Option<u64>,
    /// Share $a$ of draws from the nominal density.
    nominal_share: f64,
    /// Share $b$ of the inflated fit in the mixture part.
    inflated_share: f64,
    /// Factor on the covariances of the inflated part.
    inflation: f64,
});

impl Settings for FinalStage {
    fn check(&self) -> Result<(), Error> {
        Error::check(self.batch >= 1, "batch", "at least 1", self.batch)?;
        let bounded = self.draws.is_some() || self.budget.is_some();
        Error::check(bounded, "draws or budget", "given", "neither")?;
        Error::check(self.draws != Some(0), "draws", "at least 1", 0)?;
        Error::check(self.budget != Some(0), "budget", "at least 1", 0)?;
        let target = self.target_cov.unwrap_or(1.0);
        Error::check(target > 0.0 && target.is_finite(), "target_cov", "positive", target)?;
        let unit = |v: f64| (0.0..1.0).contains(&v);
        Error::check(unit(self.nominal_share), "nominal_share", "in [0, 1)", self.nominal_share)?;
        Error::check(
            unit(self.inflated_share),
            "inflated_share",
            "in [0, 1)",
            self.inflated_share,
        )?;
        let inflation = self.inflation;
        Error::check(inflation > 0.0 && inflation.is_finite(), "inflation", "positive", inflation)
    }
}

impl FinalStage {
    /// A fixed number of draws from the fit alone: the last step of the published methods.
    pub fn paper(draws: u64) -> Self {
        Self {
            batch: draws as usize,
            draws: Some(draws),
            target_cov: None,
            budget: None,
            nominal_share: 0.0,
            inflated_share: 0.0,
            inflation: 1.0,
        }
    }

    /// The proposal that [`run`](Self::run) draws from: `fit` with the defence around it.
    ///
    /// # Errors
    /// [`Error::Mixture`] when the inflated part cannot be made.
    pub fn defend(&self, fit: &GaussianMixture) -> Result<Proposal, Error> {
        let mixture = if self.inflated_share > 0.0 {
            fit.blend(&fit.inflated(self.inflation)?, self.inflated_share)?
        } else {
            fit.clone()
        };
        Ok(Proposal { mixture, nominal_share: self.nominal_share })
    }

    /// Draws from the defended `fit` until the target, the number of draws or the budget is reached
    /// and estimates the failure probability by (1); `spent` evaluations count against the budget.
    ///
    /// # Errors
    /// [`Error::Setting`] when nothing of the budget is left, [`Error::Evaluation`] when the limit
    /// state or the nominal density fails.
    pub fn run(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        fit: &GaussianMixture,
        spent: u64,
        seed: u64,
    ) -> Result<Estimate, Error> {
        EvalError::check_dim(nominal.dim(), g.dim())?;
        EvalError::check_dim(nominal.dim(), fit.dim())?;
        let mut state = self.init(fit, spent)?;
        while state.stopped.is_none() {
            state = self.step(nominal, g, seed, state)?;
        }
        Ok(state.finish())
    }

    /// The state before the first batch, with `fit` defended and frozen.
    ///
    /// # Errors
    /// Those of [`defend`](Self::defend), and [`Error::Setting`] when nothing of the budget is left.
    pub fn init(&self, fit: &GaussianMixture, spent: u64) -> Result<FinalState, Error> {
        Error::check(self.most(spent) > 0, "budget", "larger than what the search spent", spent)?;
        let draws = Draws::new(fit.dim());
        Ok(FinalState { proposal: self.defend(fit)?, spent, batches: 0, draws, stopped: None })
    }

    /// One batch. A state that is done comes back unchanged.
    ///
    /// # Errors
    /// [`Error::Evaluation`] when the limit state or the nominal density fails.
    pub fn step(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: FinalState,
    ) -> Result<FinalState, Error> {
        if state.stopped.is_some() {
            return Ok(state);
        }
        let n = self.next_batch(&state) as usize;
        let seed = rng::derive(seed, "final", state.batches);
        let q = state.proposal.over(nominal);
        let x = q.sample(n, seed)?;
        let values = g.evaluate(x.as_view())?;
        EvalError::check_dim(n, values.len())?;
        let ln_p = nominal.ln_pdf(x.as_view())?;
        let ln_w = &ln_p - q.ln_pdf_given(x.as_view(), &ln_p)?;
        state.draws.add(x.as_view(), &values, &ln_w, -state.proposal.nominal_share.ln());
        state.batches += 1;
        let reached = |target| state.cov().is_some_and(|cov| cov <= target);
        state.stopped = if self.target_cov.is_some_and(reached) {
            Some(StopReason::Converged)
        } else if self.next_batch(&state) == 0 {
            let complete = self.draws.is_some_and(|d| state.draws.n >= d);
            let converged = complete && self.target_cov.is_none();
            Some(if converged { StopReason::Converged } else { StopReason::Budget })
        } else {
            None
        };
        Ok(state)
    }

    /// Draws that numbers and budget allow in all.
    fn most(&self, spent: u64) -> u64 {
        let left = self.budget.map_or(u64::MAX, |b| b.saturating_sub(spent));
        self.draws.unwrap_or(u64::MAX).min(left)
    }

    /// Draws of the next batch; zero when nothing is left.
    pub(crate) fn next_batch(&self, state: &FinalState) -> u64 {
        self.most(state.spent).saturating_sub(state.draws.n).min(self.batch as u64)
    }
}

/// The final draws between two batches; its serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinalState {
    proposal: Proposal,
    spent: u64,
    batches: u64,
    draws: Draws,
    stopped: Option<StopReason>,
}

impl FinalState {
    /// Whether the draws have ended.
    pub fn done(&self) -> bool {
        self.stopped.is_some()
    }

    /// Whether there are any draws yet.
    pub fn drawn(&self) -> bool {
        self.draws.n > 0
    }

    /// Evaluations, those of the search included.
    pub fn evaluations(&self) -> u64 {
        self.spent + self.draws.n
    }

    /// Coefficient of variation of the estimate so far, once there are enough draws to tell it.
    pub fn cov(&self) -> Option<f64> {
        (self.draws.n >= MIN_DRAWS).then(|| self.draws.tally().cov).filter(|cov| cov.is_finite())
    }

    /// Logarithm of the estimate so far.
    pub fn ln_pf(&self) -> Option<f64> {
        Some(self.draws.tally().ln_pf).filter(|l| l.is_finite())
    }

    /// The estimate; one that was cut short says [`StopReason::Budget`].
    pub fn finish(self) -> Estimate {
        let mut estimate = self.draws.estimate();
        estimate.counts.evaluations = self.spent + self.draws.n;
        estimate.stopped = self.stopped.unwrap_or(StopReason::Budget);
        estimate.proposal = Some(self.proposal);
        estimate
    }
}
