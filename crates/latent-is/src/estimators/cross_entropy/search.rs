//! The search that both cross-entropy methods share: draws, the next level, a fit.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::propose::{Propose, spread};
use super::{CrossEntropyState, LevelSchedule, Seen};
use crate::error::Error;
use crate::math::rng;
use crate::method::final_stage::FinalStage;
use crate::method::search_outcome::SearchOutcome;
use crate::method::search_settings::{SearchSettings, Searches};
use crate::method::stepwise::SteppedSearch;
use crate::mixture::GaussianMixture;
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::estimate::{LevelRecord, StopReason};
use crate::search::explore::Explorer;
use crate::search::pool::{Batch, Pool};
use crate::search::smooth::ln_failure;
use crate::settings::{Settings, checked_serde};

/// Levels without progress after which a search gives up.
const PATIENCE: usize = 3;
/// Relative variance of one draw from a mixture that fits well.
const WELL_FITTED: f64 = 0.7;
/// Factor on the relative variance that a further level is hoped to bring when the last one brought none.
const HOPE: f64 = 0.8;

/// A cross-entropy search that approaches the event by the schedule `S`, and the draws after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct CrossEntropySearch<S> {
    #[serde(flatten)]
    pub(crate) schedule: S,
    /// Refines further while that saves final draws.
    pub(super) refine_adaptively: bool,
    #[serde(flatten)]
    pub(super) settings: SearchSettings,
}

checked_serde!(CrossEntropySearch<S>, S: LevelSchedule);

impl<S: LevelSchedule> CrossEntropySearch<S> {
    /// The search by `schedule` with `settings`.
    pub(crate) fn new(schedule: S, settings: SearchSettings) -> Self {
        Self { schedule, refine_adaptively: false, settings }
    }

    /// Whether the search refines beyond the asked number of levels as long as that saves more final draws
    /// than it costs.
    pub fn refine_adaptively(&self) -> bool {
        self.refine_adaptively
    }

    /// The settings that all searches share.
    pub fn search_settings(&self) -> &SearchSettings {
        &self.settings
    }

    /// One level with `fit` to fit the next proposal. A state that is done comes back unchanged.
    ///
    /// # Errors
    /// See [`SearchMethod::search`](crate::SearchMethod::search).
    pub(crate) fn step_with(
        &self,
        fit: &dyn Propose,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: CrossEntropyState,
    ) -> Result<CrossEntropyState, Error> {
        if state.done {
            return Ok(state);
        }
        let level = state.levels.len();
        let n = self.level_draws(g.dim());
        let draw_seed = rng::derive(seed, "cross-entropy draws", level as u64);
        if !self.settings.pooled {
            state.pool = Pool::new(g.dim());
        }
        let batch = match state.proposal.take() {
            None => self.first(nominal, g, draw_seed, &mut state)?,
            Some(q) => {
                let (batch, _) = Batch::evaluate(nominal, g, &q.sample(n, draw_seed)?)?;
                state.pool.add(&batch, Some(&q))?;
                state.spread.push(spread(&batch, &q)?);
                batch
            }
        };
        Error::at_least("a level, in samples that are not NaN,", 1, batch.len())?;
        let (threshold, ln_w) = if batch.failures() >= fit.min_failures() {
            let weights = state.pool.ln_weights().zip(&state.pool.g);
            (0.0, weights.map(|(w, g)| w + ln_failure(*g)).collect())
        } else {
            self.next(&state, &batch.g)
        };
        let fit_seed = rng::derive(seed, "cross-entropy fit", level as u64);
        let fitted = fit.propose(&state.pool, &ln_w, state.explorer.as_ref(), fit_seed)?;
        if let Some(explorer) = &mut state.explorer {
            explorer.follow(&state.pool)?;
        }
        let spent = state.added_evaluations() + n as u64 * (level as u64 + 1);
        let pays = self.refine_adaptively && self.refining_pays(&state.spread, spent, n);
        state.follow(fitted.mixture, threshold, self.settings.refinements, pays)?;
        state.levels.push(LevelRecord {
            level,
            threshold,
            evaluations: n as u64,
            nan_evaluations: batch.nan_evaluations,
            failures: batch.failures(),
            ess: fitted.ess,
            components: state.proposal.as_ref().map_or(0, GaussianMixture::len),
            acceptance: None,
        });
        if !state.done {
            state.stopped = if state.stalled >= PATIENCE {
                Some(StopReason::Stalled)
            } else if level + 1 >= self.settings.max_levels {
                Some(StopReason::Levels)
            } else if self.settings.exceeds_search_share(spent + n as u64) {
                // A search that has reached the event and only misses refinement has converged.
                Some(if threshold > 0.0 { StopReason::Budget } else { StopReason::Converged })
            } else {
                None
            };
            state.done = state.stopped.is_some();
        }
        if let (Some(fit), Some(explorer)) = (&state.proposal, &state.explorer) {
            let share = if state.done {
                self.settings.explore
            } else {
                explorer.level_share(self.settings.explore)
            };
            state.proposal = Some(fit.blend(explorer.proposal(), share)?);
        }
        Ok(state)
    }

    /// The next threshold or width and the log-weights of the points behind the next fit.
    fn next(&self, state: &CrossEntropyState, drawn: &[f64]) -> (f64, Vec<f64>) {
        let mut ln_w: Vec<f64> = state.pool.ln_weights().collect();
        let seen = Seen {
            g: &state.pool.g,
            ln_w: &ln_w,
            drawn,
            before: state.levels.last().map(|l| l.threshold),
            samples_per_level: self.level_draws(state.pool.x.nrows()),
            dim: state.pool.x.nrows(),
            pooled: self.settings.pooled,
        };
        let (threshold, factors) = self.schedule.next(&seen);
        ln_w.iter_mut().zip(factors).for_each(|(w, factor)| *w += factor);
        (threshold, ln_w)
    }

    /// The first level's draws: from the nominal density, half of them from a wide Gaussian when the
    /// search explores.
    fn first(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: &mut CrossEntropyState,
    ) -> Result<Batch, Error> {
        let n = self.level_draws(g.dim());
        // The covariance of the wide Gaussian takes more nominal draws than coordinates.
        let explores = self.settings.explore > 0.0 && n - n / 2 > g.dim();
        let plain = if explores { n - n / 2 } else { n };
        let x = nominal.sample(plain, seed)?;
        let (mut batch, _) = Batch::evaluate(nominal, g, &x)?;
        state.pool.add(&batch, None)?;
        if explores {
            let explorer = Explorer::new(&x)?;
            let x = explorer.proposal().sample(n - plain, rng::derive(seed, "wide", 0))?;
            let (more, _) = Batch::evaluate(nominal, g, &x)?;
            state.pool.add(&more, Some(explorer.proposal()))?;
            batch.append(more);
            state.explorer = Some(explorer);
        }
        Ok(batch)
    }

    /// Draws of a level.
    fn level_draws(&self, dim: usize) -> usize {
        self.settings.samples_per_level(dim)
    }

    /// Whether a further level would save more final draws than it costs, judged by how the relative
    /// variance of one draw fell from level to level.
    fn refining_pays(&self, spread: &[Option<f64>], spent: u64, level: usize) -> bool {
        let measured: Vec<f64> = spread.iter().copied().flatten().collect();
        let Some(last) = measured.last().copied() else { return true };
        let lowest = |of: &[f64]| of.iter().copied().fold(f64::INFINITY, f64::min);
        let (earlier, late) = measured.split_at(measured.len().saturating_sub(PATIENCE - 1));
        let next = match measured[..] {
            // Without a trend yet: what a mixture that fits well has.
            [_] => WELL_FITTED.min(last),
            [.., before, last] if last < before => (last * last / before).max(0.5 * last),
            // One level is uncertain: only several that gained nothing end it.
            _ if lowest(late) < lowest(earlier) => HOPE * last,
            _ => last,
        };
        let draws = |variance: f64, spent: u64| {
            let wanted = self.settings.final_stage.target_cov().map_or(0.0, |t| variance / (t * t));
            let left = self
                .settings
                .final_stage
                .budget()
                .map_or(f64::INFINITY, |b| b.saturating_sub(spent) as f64);
            (wanted, variance / left.max(1.0))
        };
        let level = level as u64;
        let (now, then) = (draws(last, spent), draws(next, spent + level));
        let enough =
            self.settings.final_stage.budget().is_none_or(|b| now.0 + spent as f64 <= b as f64);
        if enough { then.0 + level as f64 <= now.0 } else { then.1 < now.1 }
    }
}

impl<S: LevelSchedule> Settings for CrossEntropySearch<S> {
    fn check(&self) -> Result<(), Error> {
        self.schedule.check()?;
        self.settings.check()
    }
}

impl<S> Searches for CrossEntropySearch<S> {
    fn search_settings(&self) -> &SearchSettings {
        &self.settings
    }

    fn search_settings_mut(&mut self) -> &mut SearchSettings {
        &mut self.settings
    }
}

impl<S: LevelSchedule + Serialize + DeserializeOwned> SteppedSearch for CrossEntropySearch<S> {
    type Search = CrossEntropyState;

    const NAME: &'static str = S::NAME;

    fn draws(&self) -> &FinalStage {
        &self.settings.final_stage
    }

    fn init_search(&self, dim: usize) -> CrossEntropyState {
        CrossEntropyState::new(dim)
    }

    fn step_search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: CrossEntropyState,
    ) -> Result<CrossEntropyState, Error> {
        self.step_with(&self.settings.fit, nominal, g, seed, state)
    }

    fn records(state: &CrossEntropyState) -> &[LevelRecord] {
        &state.levels
    }

    fn next_level(&self, state: &CrossEntropyState) -> u64 {
        self.level_draws(state.pool.x.nrows()) as u64
    }

    fn outcome(&self, state: CrossEntropyState) -> Result<SearchOutcome, CrossEntropyState> {
        if state.done {
            Ok(state.into_search().expect("a finished search has a proposal"))
        } else {
            Err(state)
        }
    }
}
