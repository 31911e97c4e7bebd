//! What all adaptive methods share: a search for a proposal, then fresh draws from it.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::math::rng;
use crate::method::final_stage::FinalStage;
use crate::method::two_level::{Corrected, TwoLevel};
use crate::mixture::GaussianMixture;
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::estimate::{Estimate, LevelRecord, StopReason};

/// The outcome of a search: a frozen proposal and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Search {
    /// The proposal.
    pub proposal: GaussianMixture,
    /// One record a level, in order.
    pub levels: Vec<LevelRecord>,
    /// Evaluations of the limit state the search ran on.
    pub evaluations: u64,
    /// Evaluations without an answer (NaN).
    pub nan_evaluations: u64,
    /// Why the search ended.
    pub stopped: StopReason,
    /// Logarithm of the probability by the search's own product of level means, for methods that
    /// have one: a cross-check of the final estimate, with a large variance.
    pub ln_pf: Option<f64>,
}

impl Search {
    /// A search with `proposal` after `levels`; their evaluations are its own.
    pub(crate) fn of(
        proposal: GaussianMixture,
        levels: Vec<LevelRecord>,
        stopped: Option<StopReason>,
        ln_pf: Option<f64>,
    ) -> Self {
        Self {
            proposal,
            evaluations: levels.iter().map(|level| level.evaluations).sum(),
            nan_evaluations: levels.iter().map(|level| level.nan_evaluations).sum(),
            levels,
            stopped: stopped.unwrap_or(StopReason::Levels),
            ln_pf,
        }
    }
}

/// An adaptive importance-sampling method.
pub trait Method: Sync {
    /// Searches for a proposal under `g`; a function of the settings and `seed` alone.
    ///
    /// # Errors
    /// [`Error::Evaluation`] when the limit state or the nominal density fails or their dimensions
    /// differ, [`Error::Weights`] and [`Error::Mixture`] when a fit is impossible.
    fn search(&self, nominal: &dyn Density, g: &dyn LimitState, seed: u64)
    -> Result<Search, Error>;

    /// The fresh draws that follow the search.
    fn final_stage(&self) -> &FinalStage;

    /// Searches and estimates the probability of the same event.
    ///
    /// # Errors
    /// Those of [`search`](Self::search) and of [`FinalStage::run`].
    fn estimate(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<Estimate, Error> {
        let search = self.search(nominal, g, rng::derive(seed, "search", 0))?;
        let estimate = self.final_stage().run(
            nominal,
            g,
            &search.proposal,
            search.evaluations,
            rng::derive(seed, "estimate", 0),
        )?;
        Ok(finished(estimate, search))
    }

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
        estimate.surrogate_evaluations = search.evaluations;
        let mut estimate = finished(estimate, search);
        // The search's own estimate is one of the surrogate event.
        estimate.search_ln_pf = None;
        Ok(estimate)
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
        let own = corrected.estimate.surrogate_evaluations;
        corrected.estimate.surrogate_evaluations = own + search.evaluations;
        corrected.estimate = finished(corrected.estimate, search);
        corrected.estimate.search_ln_pf = None;
        Ok(corrected)
    }
}

/// The estimate with the search's records.
pub(crate) fn finished(mut estimate: Estimate, search: Search) -> Estimate {
    estimate.nan_evaluations += search.nan_evaluations;
    estimate.levels = search.levels;
    estimate.search_stopped = Some(search.stopped);
    estimate.search_ln_pf = search.ln_pf;
    if search.stopped != StopReason::Converged {
        estimate.stopped = search.stopped;
    }
    estimate
}
