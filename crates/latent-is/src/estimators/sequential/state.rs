//! What a sequential search carries from level to level.

use serde::{Deserialize, Serialize};

use super::Sequential;
use crate::error::Error;
use crate::method::final_stage::FinalStage;
use crate::method::search_outcome::SearchOutcome;
use crate::method::stepwise::SteppedSearch;
use crate::mixture::GaussianMixture;
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::estimate::{LevelRecord, StopReason};
use crate::search::conditional::FIRST_STEP;
use crate::search::explore::Explorer;
use crate::search::pool::{Batch, Pool};

/// A sequential search between two levels; its serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequentialState {
    pub(super) pool: Pool,
    pub(super) explorer: Option<Explorer>,
    pub(super) particles: Option<Batch>,
    /// Logarithm of the step size of conditional moves.
    pub(super) ln_step: f64,
    /// Width of the smoothed indicator; infinite when absent.
    pub(super) sigma: Option<f64>,
    pub(super) ln_z: f64,
    pub(super) ln_pf: Option<f64>,
    pub(super) proposal: Option<GaussianMixture>,
    /// Refinement levels done.
    pub(super) refined: usize,
    pub(super) levels: Vec<LevelRecord>,
    pub(super) stopped: Option<StopReason>,
    pub(super) done: bool,
}

impl SequentialState {
    /// The fit with a share of the explorer's proposal, when the search explores.
    pub(super) fn widened(
        &self,
        fit: GaussianMixture,
        share: f64,
    ) -> Result<GaussianMixture, Error> {
        match &self.explorer {
            Some(explorer) => fit.blend(explorer.proposal(), share),
            None => Ok(fit),
        }
    }

    /// The record of a level with `acceptance`, its counts to be filled in.
    pub(super) fn record(&self, acceptance: f64) -> LevelRecord {
        LevelRecord {
            level: self.levels.len(),
            threshold: self.sigma.unwrap_or(f64::MAX),
            evaluations: 0,
            nan_evaluations: 0,
            failures: 0,
            ess: 0.0,
            components: 0,
            acceptance: Some(acceptance),
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

    /// The outcome; absent before the first mixture was fitted.
    pub fn into_search(self) -> Option<SearchOutcome> {
        Some(SearchOutcome::of(self.proposal?, self.levels, self.stopped, self.ln_pf))
    }
}

impl SteppedSearch for Sequential {
    type Search = SequentialState;

    const NAME: &'static str = "sequential";

    fn accepts_nominal(&self, nominal: &dyn Density) -> Result<(), Error> {
        self.check_nominal(nominal)
    }

    fn draws(&self) -> &FinalStage {
        &self.search.final_stage
    }

    fn init_search(&self, dim: usize) -> SequentialState {
        SequentialState {
            pool: Pool::new(dim),
            explorer: None,
            particles: None,
            ln_step: FIRST_STEP.ln(),
            sigma: None,
            ln_z: 0.0,
            ln_pf: None,
            proposal: None,
            refined: 0,
            levels: Vec::new(),
            stopped: None,
            done: false,
        }
    }

    fn step_search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: SequentialState,
    ) -> Result<SequentialState, Error> {
        self.level(nominal, g, seed, state)
    }

    fn records(state: &SequentialState) -> &[LevelRecord] {
        &state.levels
    }

    fn next_level(&self, state: &SequentialState) -> u64 {
        let dim = state.pool.x.nrows();
        (self.search.samples_per_level(dim) * 3 / 2).max(self.candidates(dim)) as u64
    }

    fn outcome(&self, state: SequentialState) -> Result<SearchOutcome, SequentialState> {
        if state.done {
            Ok(state.into_search().expect("a finished search has a proposal"))
        } else {
            Err(state)
        }
    }
}
