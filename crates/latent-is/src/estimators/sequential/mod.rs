//! Sequential importance sampling.
//!
//! Particles pass through $f_j(x) \propto p(x) \Phi(-g(x)/\sigma_j)$ with $\infty = \sigma_0 > \sigma_1 > \dots$;
//! each $\sigma_j$ is the one at which the weights $\Phi(-g/\sigma_j) / \Phi(-g/\sigma_{j-1})$ have the coefficient
//! of variation $\delta$. After resampling, chains of Metropolis steps that leave $f_j$ invariant move the
//! particles. Their candidates ([`Moves`]) come from a mixture $q_j$ fitted to $f_j$, accepted with
//!
//! $$ \log\alpha = [\log p(v) + \log\Phi(-g(v)/\sigma_j) - \log q_j(v)] -
//!                [\log p(x) + \log\Phi(-g(x)/\sigma_j) - \log q_j(x)], \tag{6} $$
//!
//! where $p$ is the nominal density of the space the chain runs in; or, in standard normal space and any
//! dimension, from the state itself, $v = \sqrt{1 - \beta^2} u + \beta z$ (7), accepted with
//!
//! $$ \log\alpha = \log\Phi(-g(v)/\sigma_j) - \log\Phi(-g(u)/\sigma_j). $$
//!
//! The levels stop when $\mathbf 1\lbrace g \le 0\rbrace / \Phi(-g/\sigma_j)$ has a coefficient of variation of at most
//! $\delta$. The product of the level means estimates $P_f$ with a large variance; the search ends with a
//! mixture for fresh draws.
//!
//! Independence candidates do not depend on the chains, so a level evaluates all of them as one
//! batch, and the accepted and rejected ones alike serve the pooled fits of the default. Conditional
//! candidates have no density of their own: the first mixture is fitted to the last particles, and draws
//! from it refine it.
//!
//! # References
//! - I. Papaioannou, C. Papadimitriou, D. Straub: Sequential importance sampling for structural
//!   reliability analysis. *Structural Safety* 62 (2016), 66–75.
//! - I. Papaioannou, W. Betz, K. Zwirglmaier, D. Straub: MCMC algorithms for subset simulation.
//!   *Probabilistic Engineering Mechanics* 41 (2015), 89–103.

mod finish;
mod level;
mod moves;
mod state;

use serde::{Deserialize, Serialize};

pub use state::SequentialState;

use crate::error::Error;
use crate::math::rng;
use crate::method::search_settings::{SearchSettings, Searches};
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::result::estimate::{LevelRecord, StopReason};
use crate::search::explore::Explorer;
use crate::search::level_size::LevelSize;
use crate::search::pool::Batch;
use crate::search::smooth::{ln_to_failure, weight_cov};
use crate::settings::{Settings, settings};

/// What the candidates of the chains come from. See the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moves {
    /// The mixture fitted at the level: for few coordinates, in any space.
    #[default]
    Independence,
    /// The neighbourhood of the state, with an adaptive step: for any number of coordinates, in standard
    /// normal space.
    Conditional,
}

/// Sequential importance sampling. See the [module](self) for what it does.
///
/// ```
/// use latent_is::{Estimator, FnLimitState, Sequential, StandardNormal};
///
/// let g = FnLimitState::new(2, |x: &[f64]| 3.5 - x[0].abs());
/// let estimate = Sequential::default().estimate(&StandardNormal::new(2), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(4.653e-4));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Sequential {
    moves: Moves,
    seed_share: f64,
    burn_in: usize,
    weight_cov: f64,
    #[serde(flatten)]
    search: SearchSettings,
}

impl Default for Sequential {
    /// Independence moves, a tenth of the particles as seeds, $\delta = 1.5$; 600 particles per level in up
    /// to four coordinates, 1200 above.
    fn default() -> Self {
        let size = LevelSize::ByCoordinates { few: 600, many: 1200 };
        Self::new(Moves::Independence, SearchSettings::new(size))
    }
}

settings!(Sequential {
    /// What the candidates of the chains come from.
    moves: Moves,
    /// Share of the particles that are resampled as seeds of chains.
    seed_share: f64,
    /// Steps of each chain that are thrown away (and evaluated).
    burn_in: usize,
    /// Coefficient of variation $\delta$ of the weights between levels.
    weight_cov: f64,
});

impl Settings for Sequential {
    fn check(&self) -> Result<(), Error> {
        let share = self.seed_share;
        Error::check(share > 0.0 && share <= 1.0, "seed_share", "in (0, 1]", share)?;
        let delta = self.weight_cov;
        Error::check(delta > 0.0 && delta.is_finite(), "weight_cov", "positive", delta)?;
        self.search.check()
    }
}

impl Searches for Sequential {
    fn search_settings(&self) -> &SearchSettings {
        &self.search
    }

    fn search_settings_mut(&mut self) -> &mut SearchSettings {
        &mut self.search
    }
}

impl Sequential {
    fn new(moves: Moves, search: SearchSettings) -> Self {
        Self { moves, seed_share: 0.1, burn_in: 0, weight_cov: 1.5, search }
    }

    /// The published settings: 2000 particles per level, a tenth of them seeds of chains, $\delta = 1.5$,
    /// two components, fits on the particles alone, and 2000 final draws without defence.
    pub fn paper() -> Self {
        Self::new(Moves::Independence, SearchSettings::paper(2000))
    }

    /// Conditional moves, and three refinements of the first proposal.
    pub fn conditional() -> Self {
        let search =
            SearchSettings { refinements: 2, ..SearchSettings::new(LevelSize::Fixed(500)) };
        Self::new(Moves::Conditional, search)
    }

    /// The settings that all searches share.
    pub fn search_settings(&self) -> &SearchSettings {
        &self.search
    }

    /// One level. A state that is done comes back unchanged.
    fn level(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: SequentialState,
    ) -> Result<SequentialState, Error> {
        if state.done {
            return Ok(state);
        }
        let level = state.levels.len();
        let seed = rng::derive(seed, "sequential level", level as u64);
        if state.stopped.is_some() {
            let record = self.refine(nominal, g, seed, &mut state)?;
            state.refined += usize::from(record.threshold <= 0.0);
            state.levels.push(record);
            state.done = !self.refines(&state);
            return Ok(state);
        }
        let record = match state.particles.take() {
            None => self.first(nominal, g, seed, &mut state)?,
            Some(particles) => self.advance(nominal, g, seed, &mut state, &particles)?,
        };
        state.levels.push(record);
        let reached = self.reached(&state);
        state.stopped = if reached {
            Some(StopReason::Converged)
        } else if level >= self.search.max_levels {
            Some(StopReason::Levels)
        } else if self.exceeds_search_share(&state, self.candidates(g.dim())) {
            Some(StopReason::Budget)
        } else {
            None
        };
        if state.stopped.is_some() {
            self.conclude(seed, &mut state)?;
            state.done = !self.refines(&state);
        }
        Ok(state)
    }

    /// Refuses a nominal density that conditional moves do not keep.
    fn check_nominal(&self, nominal: &dyn Density) -> Result<(), Error> {
        match self.moves {
            Moves::Independence => Ok(()),
            Moves::Conditional => {
                StandardNormal::require(nominal, "standard normal for conditional moves")
            }
        }
    }

    /// Whether the weights to the failure event vary as little as those between levels.
    fn reached(&self, state: &SequentialState) -> bool {
        let cov = |p: &Batch| weight_cov(&ln_to_failure(&p.g, state.sigma));
        state.particles.as_ref().is_some_and(|p| cov(p) <= self.weight_cov)
    }

    /// Whether `more` evaluations would leave less than a third of the budget to the final draws.
    fn exceeds_search_share(&self, state: &SequentialState, more: usize) -> bool {
        let spent = state.levels.iter().map(|l| l.evaluations).sum::<u64>();
        self.search.exceeds_search_share(spent + more as u64)
    }

    /// Whether another refinement of the final proposal follows.
    fn refines(&self, state: &SequentialState) -> bool {
        self.search.pooled
            && state.refined < self.search.refinements
            && (state.pool.failures() > 0 || self.moves == Moves::Conditional)
            && !self
                .exceeds_search_share(state, self.search.samples_per_level(state.pool.x.nrows()))
    }

    fn chains(&self, dim: usize) -> usize {
        ((self.seed_share * self.search.samples_per_level(dim) as f64) as usize).max(1)
    }

    fn steps(&self, dim: usize) -> usize {
        (self.search.samples_per_level(dim) / self.chains(dim)).max(1)
    }

    fn candidates(&self, dim: usize) -> usize {
        self.chains(dim) * (self.burn_in + self.steps(dim))
    }

    /// Particles from the nominal density; when the search explores, half as many points from the wide
    /// Gaussian for the pooled fits.
    fn first(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: &mut SequentialState,
    ) -> Result<LevelRecord, Error> {
        let samples = self.search.samples_per_level(g.dim());
        let x = nominal.sample(samples, seed)?;
        let (batch, _) = Batch::evaluate(nominal, g, &x)?;
        Error::at_least("a level, in samples that are not NaN,", 1, batch.len())?;
        state.pool.add(&batch, None)?;
        let mut record = LevelRecord {
            level: 0,
            threshold: f64::MAX,
            evaluations: samples as u64,
            nan_evaluations: batch.nan_evaluations,
            failures: batch.failures(),
            ess: batch.len() as f64,
            components: 0,
            acceptance: None,
        };
        // The covariance of the wide Gaussian takes more nominal draws than coordinates.
        if self.search.explore > 0.0 && samples > g.dim() {
            let mut explorer = Explorer::new(&x)?;
            let n = samples / 2;
            let x = explorer.proposal().sample(n, rng::derive(seed, "wide", 0))?;
            let (more, _) = Batch::evaluate(nominal, g, &x)?;
            state.pool.add(&more, Some(explorer.proposal()))?;
            explorer.follow(&state.pool)?;
            record.evaluations += x.ncols() as u64;
            record.nan_evaluations += more.nan_evaluations;
            record.failures += more.failures();
            state.explorer = Some(explorer);
        }
        state.particles = Some(batch);
        Ok(record)
    }
}
