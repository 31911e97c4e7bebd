//! The search that both cross-entropy methods share: draws, the next level, a fit.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{CrossEntropyBuilder, CrossEntropyState, Quantile, Schedule, Seen};
use crate::estimate::{LevelRecord, StopReason};
use crate::explore::Explorer;
use crate::pool::{Batch, Pool};
use crate::run::Stepped;
use crate::{
    Components, Density, Error, EvalError, FinalStage, GaussianMixture, LimitState, Method,
    MixtureFit, Search, rng,
};

/// Levels without progress after which a search gives up.
const PATIENCE: usize = 3;

/// A cross-entropy search that closes in on the event by the schedule `S`, and the draws after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossEntropySearch<S> {
    pub(super) samples_per_level: usize,
    #[serde(flatten)]
    pub(crate) schedule: S,
    pub(super) max_levels: usize,
    pub(super) pooled: bool,
    pub(super) refinements: usize,
    /// Share of the explorer in every proposal.
    pub(super) explore: f64,
    pub(super) fit: MixtureFit,
    pub(super) final_stage: FinalStage,
}

impl Default for CrossEntropySearch<Quantile> {
    fn default() -> Self {
        Self::with(Quantile { quantile: 0.1 }, 800)
    }
}

impl CrossEntropySearch<Quantile> {
    /// The published settings: 2000 draws a level, $\rho = 0.1$, two components, each level on its own
    /// draws, and 2000 final draws from the last fit without defence.
    pub fn paper() -> Self {
        Self::bare(Quantile { quantile: 0.1 }, 2000)
    }

    /// A builder that starts from the default.
    pub fn builder() -> CrossEntropyBuilder<Quantile> {
        CrossEntropyBuilder { method: Self::default() }
    }

    /// A builder that starts from [`paper`](Self::paper).
    pub fn paper_builder() -> CrossEntropyBuilder<Quantile> {
        CrossEntropyBuilder { method: Self::paper() }
    }
}

impl<S: Schedule> CrossEntropySearch<S> {
    /// Pooled fits with as many components as they need, exploration and a defended proposal.
    pub(crate) fn with(schedule: S, samples_per_level: usize) -> Self {
        Self {
            samples_per_level,
            schedule,
            max_levels: 50,
            pooled: true,
            refinements: 1,
            explore: 0.05,
            fit: MixtureFit::default(),
            final_stage: FinalStage::default(),
        }
    }

    /// The methods as published: each level on its own draws, two components, as many final draws as a
    /// level has, no defence.
    pub(crate) fn bare(schedule: S, samples_per_level: usize) -> Self {
        Self {
            samples_per_level,
            schedule,
            max_levels: 50,
            pooled: false,
            refinements: 0,
            explore: 0.0,
            fit: MixtureFit::default().with_components(Components::Fixed(2)),
            final_stage: FinalStage::paper(samples_per_level as u64),
        }
    }

    /// The state before the first level, for `dim` coordinates.
    pub fn init(&self, dim: usize) -> CrossEntropyState {
        CrossEntropyState::new(dim)
    }

    /// One level: draws, threshold or width, fit. A state that is done comes back unchanged.
    ///
    /// # Errors
    /// See [`Method::search`].
    pub fn step(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: CrossEntropyState,
    ) -> Result<CrossEntropyState, Error> {
        if state.done {
            return Ok(state);
        }
        let level = state.levels.len();
        let n = self.draws(g.dim());
        let draw_seed = rng::derive(seed, "cross-entropy draws", level as u64);
        if !self.pooled {
            state.pool = Pool::new(g.dim());
        }
        let batch = match state.proposal.take() {
            None => self.first(nominal, g, draw_seed, &mut state)?,
            Some(q) => {
                let (batch, _) = Batch::evaluate(nominal, g, &q.sample(n, draw_seed)?)?;
                state.pool.add(&batch, Some(&q))?;
                batch
            }
        };
        Error::at_least("a level, in samples with an answer,", 1, batch.len())?;
        let (threshold, ln_w) = self.next(&state, &batch.g);
        let fit_seed = rng::derive(seed, "cross-entropy fit", level as u64);
        let fitted = self.fit.fit(state.pool.x.as_view(), &ln_w, fit_seed)?;
        if let Some(explorer) = &mut state.explorer {
            explorer.follow(&state.pool)?;
        }
        state.follow(fitted.mixture, threshold, self.refinements)?;
        state.levels.push(LevelRecord {
            level,
            threshold,
            evaluations: n as u64,
            unknown: batch.unknown,
            failures: batch.failures(),
            ess: fitted.ess,
            components: state.proposal.as_ref().map_or(0, GaussianMixture::len),
            acceptance: None,
        });
        if !state.done {
            state.stopped = if state.stalled >= PATIENCE {
                Some(StopReason::Stalled)
            } else if level + 1 >= self.max_levels {
                Some(StopReason::Levels)
            } else if self.would_starve(n as u64 * (level as u64 + 2)) {
                // A search that has reached the event and only misses refinement has converged.
                Some(if threshold > 0.0 { StopReason::Budget } else { StopReason::Converged })
            } else {
                None
            };
            state.done = state.stopped.is_some();
        }
        if let (Some(fit), Some(explorer)) = (&state.proposal, &state.explorer) {
            let share = if state.done { self.explore } else { explorer.level_share(self.explore) };
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
            samples_per_level: self.draws(state.pool.x.nrows()),
            dim: state.pool.x.nrows(),
            pooled: self.pooled,
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
        let n = self.draws(g.dim());
        let plain = if self.explore > 0.0 { n - n / 2 } else { n };
        let x = nominal.sample(plain, seed)?;
        let (mut batch, _) = Batch::evaluate(nominal, g, &x)?;
        state.pool.add(&batch, None)?;
        if self.explore > 0.0 {
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
    fn draws(&self, dim: usize) -> usize {
        let least = if self.pooled { S::PER_COORDINATE * dim } else { 0 };
        self.samples_per_level.max(least)
    }

    /// Whether `spent` evaluations would leave less than a third of the budget to the final draws.
    fn would_starve(&self, spent: u64) -> bool {
        self.final_stage.budget().is_some_and(|budget| 3 * spent > 2 * budget)
    }
}

impl<S: Schedule> Method for CrossEntropySearch<S> {
    fn search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<Search, Error> {
        EvalError::check_dim(nominal.dim(), g.dim())?;
        let mut state = self.init(g.dim());
        while !state.done {
            state = self.step(nominal, g, seed, state)?;
        }
        Ok(state.into_search().expect("a finished search has a proposal"))
    }

    fn final_stage(&self) -> &FinalStage {
        &self.final_stage
    }
}

impl<S: Schedule + Serialize + DeserializeOwned> Stepped for CrossEntropySearch<S> {
    type Search = CrossEntropyState;

    const NAME: &'static str = S::NAME;

    fn init_search(&self, dim: usize) -> CrossEntropyState {
        self.init(dim)
    }

    fn step_search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: CrossEntropyState,
    ) -> Result<CrossEntropyState, Error> {
        self.step(nominal, g, seed, state)
    }

    fn records(state: &CrossEntropyState) -> &[LevelRecord] {
        &state.levels
    }

    fn next_level(&self, state: &CrossEntropyState) -> u64 {
        self.draws(state.pool.x.nrows()) as u64
    }

    fn outcome(&self, state: CrossEntropyState) -> Result<Search, CrossEntropyState> {
        if state.done {
            Ok(state.into_search().expect("a finished search has a proposal"))
        } else {
            Err(state)
        }
    }
}
