//! Estimators that search for a proposal and then draw afresh from it.

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::method::estimator::Estimator;
use crate::method::final_stage::FinalStage;
use crate::method::search_outcome::SearchOutcome;
use crate::method::stepwise::SteppedSearch;
use crate::method::two_level::{Corrected, TwoLevel};
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::estimate::Estimate;

/// An adaptive importance-sampling method: a search for a proposal, then fresh draws from it.
///
/// Because search and final draws are separate, the search may run on a cheap surrogate event and the draws
/// estimate the true one.
pub trait SearchMethod: Estimator {
    /// Searches for a proposal under `g`; a function of the settings and `seed` alone.
    ///
    /// # Errors
    /// [`Error::Evaluation`] when the limit state or the nominal density fails or their dimensions
    /// differ, [`Error::Weights`] and [`Error::Mixture`] when a fit is impossible.
    fn search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<SearchOutcome, Error>;

    /// The fresh draws that follow the search.
    fn final_stage(&self) -> &FinalStage;

    /// Searches on a cheap surrogate event and estimates the probability of the true one, equation
    /// (14): unbiased for the true event, however rough the surrogate, as long as the proposal with
    /// its defence covers it.
    ///
    /// # Errors
    /// Those of [`search`](Self::search) and of [`FinalStage::run`].
    fn estimate_corrected(
        &self,
        nominal: &dyn Density,
        surrogate: &dyn LimitState,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<Estimate, Error> {
        let search = self.search(nominal, surrogate, rng::derive(seed, "search", 0))?;
        let fresh = rng::derive(seed, "estimate", 0);
        let mut estimate = self.final_stage().run(nominal, g, &search.proposal, 0, fresh)?;
        estimate.counts.surrogate_evaluations = search.evaluations;
        Ok(search.complete(estimate, true))
    }

    /// Searches on a cheap surrogate event and estimates the probability of the true one with the
    /// surrogate as control variate, equation (15), where that has the smaller variance: unbiased for
    /// the true event as long as the proposal with its defence covers both.
    ///
    /// # Errors
    /// Those of [`search`](Self::search) and of [`TwoLevel::run`].
    fn estimate_two_level(
        &self,
        nominal: &dyn Density,
        surrogate: &dyn LimitState,
        g: &dyn LimitState,
        levels: &TwoLevel,
        seed: u64,
    ) -> Result<Corrected, Error> {
        let search = self.search(nominal, surrogate, rng::derive(seed, "search", 0))?;
        let proposal = self.final_stage().defend(&search.proposal)?;
        let fresh = rng::derive(seed, "estimate", 0);
        let mut corrected = levels.run(nominal, surrogate, g, &proposal, fresh)?;
        corrected.estimate.counts.surrogate_evaluations += search.evaluations;
        corrected.estimate = search.complete(corrected.estimate, true);
        Ok(corrected)
    }
}

impl<M: SteppedSearch> SearchMethod for M {
    fn search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<SearchOutcome, Error> {
        EvalError::check_dim(nominal.dim(), g.dim())?;
        self.accepts_nominal(nominal)?;
        let mut state = self.init_search(g.dim());
        loop {
            match self.outcome(self.step_search(nominal, g, seed, state)?) {
                Ok(outcome) => return Ok(outcome),
                Err(unfinished) => state = unfinished,
            }
        }
    }

    fn final_stage(&self) -> &FinalStage {
        self.draws()
    }
}
