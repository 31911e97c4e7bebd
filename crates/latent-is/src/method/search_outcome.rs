//! What a search for a proposal found and what it cost.

use serde::{Deserialize, Serialize};

use crate::mixture::GaussianMixture;
use crate::result::estimate::{Estimate, LevelRecord, SearchRecord, StopReason};

/// The outcome of a search: a frozen proposal and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SearchOutcome {
    /// The proposal.
    pub proposal: GaussianMixture,
    /// One record per level, in order.
    pub levels: Vec<LevelRecord>,
    /// Evaluations of the limit state the search ran on.
    pub evaluations: u64,
    /// NaN evaluations among them.
    pub nan_evaluations: u64,
    /// Why the search ended.
    pub stopped: StopReason,
    /// Logarithm of the probability by the search's own product of level means, for methods that
    /// have one: a cross-check of the final estimate, with a large variance.
    pub ln_pf: Option<f64>,
}

impl SearchOutcome {
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

    /// `estimate`, from fresh draws of the proposal, with the records of the search. A search on a
    /// surrogate event keeps its own estimate to itself: it is one of that event.
    pub(crate) fn complete(self, mut estimate: Estimate, surrogate: bool) -> Estimate {
        estimate.counts.nan_evaluations += self.nan_evaluations;
        if self.stopped != StopReason::Converged {
            estimate.stopped = self.stopped;
        }
        estimate.search = Some(SearchRecord {
            levels: self.levels,
            stopped: self.stopped,
            ln_pf: self.ln_pf.filter(|_| !surrogate),
        });
        estimate
    }
}
