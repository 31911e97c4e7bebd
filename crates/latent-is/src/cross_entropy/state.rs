//! What a cross-entropy search carries from level to level.

use serde::{Deserialize, Serialize};

use crate::estimate::{LevelRecord, StopReason};
use crate::explore::Explorer;
use crate::pool::Pool;
use crate::{Error, GaussianMixture, Search};

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
    pub fn into_search(self) -> Option<Search> {
        Some(Search::of(self.proposal?, self.levels, self.stopped, None))
    }

    /// Takes the next proposal and decides whether the event is reached or progress has stopped.
    pub(super) fn follow(
        &mut self,
        fit: GaussianMixture,
        threshold: f64,
        refinements: usize,
    ) -> Result<(), Error> {
        let before = self.levels.last().map_or(f64::INFINITY, |l| l.threshold);
        if threshold > 0.0 {
            self.stalled = if threshold < before { 0 } else { self.stalled + 1 };
            self.proposal = Some(if self.stalled > 0 { fit.inflated(RELEASE)? } else { fit });
            return Ok(());
        }
        self.stalled = 0;
        self.proposal = Some(fit);
        let settled = self.explorer.as_ref().is_none_or(Explorer::settled);
        if self.refined >= refinements && (settled || self.refined >= refinements + WAIT) {
            self.stopped = Some(StopReason::Converged);
            self.done = true;
        }
        self.refined += 1;
        Ok(())
    }
}
