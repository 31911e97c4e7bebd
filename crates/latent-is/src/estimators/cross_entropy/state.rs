//! What a cross-entropy search carries from level to level.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::method::search_outcome::SearchOutcome;
use crate::mixture::GaussianMixture;
use crate::result::estimate::{LevelRecord, StopReason};
use crate::search::explore::Explorer;
use crate::search::pool::Pool;

/// Factor on the covariances after a level without progress.
const RELEASE: f64 = 1.5;
/// Most refinement levels beyond those asked for that wait for the explorer to arrive.
const WAIT: usize = 1;

/// A cross-entropy search between two levels; its serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossEntropyState {
    pub(super) pool: Pool,
    pub(super) proposal: Option<GaussianMixture>,
    pub(super) explorer: Option<Explorer>,
    /// Levels in a row whose threshold did not fall.
    pub(super) stalled: usize,
    /// Refinement levels done.
    refined: usize,
    /// Relative variance of one draw, level by level from the second on.
    pub(super) spread: Vec<Option<f64>>,
    /// Evaluations and NaN evaluations spent before or between the levels.
    before: (u64, u64),
    pub(super) levels: Vec<LevelRecord>,
    pub(super) stopped: Option<StopReason>,
    pub(super) done: bool,
}

impl CrossEntropyState {
    pub(super) fn new(dim: usize) -> Self {
        Self {
            pool: Pool::new(dim),
            proposal: None,
            explorer: None,
            stalled: 0,
            refined: 0,
            spread: Vec::new(),
            before: (0, 0),
            levels: Vec::new(),
            stopped: None,
            done: false,
        }
    }

    /// Whether the search has ended.
    pub fn done(&self) -> bool {
        self.done
    }

    /// Records of the levels so far.
    pub fn levels(&self) -> &[LevelRecord] {
        &self.levels
    }

    /// The outcome; absent before the first level.
    pub fn into_search(self) -> Option<SearchOutcome> {
        let mut search = SearchOutcome::of(self.proposal?, self.levels, self.stopped, None);
        search.evaluations += self.before.0;
        search.nan_evaluations += self.before.1;
        Some(search)
    }

    /// The points so far.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Counts evaluations that were spent on the search but not in its levels.
    pub(crate) fn add_evaluations(&mut self, evaluations: u64, nan_evaluations: u64) {
        self.before.0 += evaluations;
        self.before.1 += nan_evaluations;
    }

    /// Evaluations counted by [`charge`](Self::charge).
    pub(crate) fn added_evaluations(&self) -> u64 {
        self.before.0
    }

    /// Gives the mixture `seeds` a share in the next proposal.
    pub(crate) fn blend_in(&mut self, seeds: &GaussianMixture, share: f64) -> Result<(), Error> {
        if let (false, Some(proposal)) = (self.done, &self.proposal) {
            self.proposal = Some(proposal.blend(seeds, share)?);
        }
        Ok(())
    }

    /// Takes the next proposal and decides whether the event is reached or progress has stopped.
    pub(super) fn follow(
        &mut self,
        fit: GaussianMixture,
        threshold: f64,
        refinements: usize,
        pays: bool,
    ) -> Result<(), Error> {
        let before = self.levels.last().map_or(f64::INFINITY, |l| l.threshold);
        if threshold > 0.0 {
            self.stalled = if threshold < before { 0 } else { self.stalled + 1 };
            self.proposal = Some(if self.stalled > 0 { fit.inflated(RELEASE)? } else { fit });
            return Ok(());
        }
        self.stalled = 0;
        self.proposal = Some(fit);
        let sampled_at_zero = self.explorer.as_ref().is_none_or(Explorer::sampled_at_zero);
        if self.refined >= refinements
            && !pays
            && (sampled_at_zero || self.refined >= refinements + WAIT)
        {
            self.stopped = Some(StopReason::Converged);
            self.done = true;
        }
        self.refined += 1;
        Ok(())
    }
}
