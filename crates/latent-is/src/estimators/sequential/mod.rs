//! Sequential importance sampling.
//!
//! Particles pass through $f_j(x) \propto p(x)\, \Phi(-g(x)/\sigma_j)$ with $\infty = \sigma_0 > \sigma_1 > \dots$;
//! each $\sigma_j$ is the one at which the weights $\Phi(-g/\sigma_j) / \Phi(-g/\sigma_{j-1})$ have the coefficient
//! of variation $\delta$. After resampling, chains of Metropolis steps that leave $f_j$ invariant move the
//! particles. Their candidates ([`Moves`]) come from a mixture $q_j$ fitted to $f_j$, accepted with
//!
//! $$ \log\alpha = [\log p(v) + \log\Phi(-g(v)/\sigma_j) - \log q_j(v)]
//!              - [\log p(x) + \log\Phi(-g(x)/\sigma_j) - \log q_j(x)], \tag{6} $$
//!
//! where $p$ is the nominal density of the space the chain runs in; or, in standard normal space and any
//! dimension, from the state itself, $v = \sqrt{1 - \beta^2}\, u + \beta z$ (7), accepted with
//!
//! $$ \log\alpha = \log\Phi(-g(v)/\sigma_j) - \log\Phi(-g(u)/\sigma_j). $$
//!
//! The levels stop when $\mathbf 1\{g \le 0\} / \Phi(-g/\sigma_j)$ has a coefficient of variation of at most
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

mod builder;
mod finish;
mod level;
mod moves;
mod state;

use serde::{Deserialize, Serialize};

pub use builder::SequentialBuilder;
pub use state::SequentialState;

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::method::final_stage::FinalStage;
use crate::method::search_method::{Method, Search};
use crate::mixture::fit::{Components, MixtureFit};
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::result::estimate::{LevelRecord, StopReason};
use crate::search::conditional::FIRST_STEP;
use crate::search::explore::Explorer;
use crate::search::level_size::LevelSize;
use crate::search::pool::{Batch, Pool};
use crate::search::smooth::{ln_to_failure, weight_cov};

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
/// use latent_is::{FnLimitState, Method, Sequential, StandardNormal};
///
/// let g = FnLimitState::new(2, |x: &[f64]| 3.5 - x[0].abs());
/// let estimate = Sequential::default().estimate(&StandardNormal::new(2), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(4.653e-4));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    moves: Moves,
    samples_per_level: LevelSize,
    seed_share: f64,
    burn_in: usize,
    weight_cov: f64,
    max_levels: usize,
    pooled: bool,
    refinements: usize,
    /// Share of the explorer in every proposal.
    explore: f64,
    fit: MixtureFit,
    final_stage: FinalStage,
}

impl Default for Sequential {
    fn default() -> Self {
        Self {
            moves: Moves::Independence,
            samples_per_level: LevelSize::ByCoordinates { few: 600, many: 1200 },
            seed_share: 0.1,
            burn_in: 0,
            weight_cov: 1.5,
            max_levels: 50,
            pooled: true,
            refinements: 1,
            explore: 0.05,
            fit: MixtureFit::default(),
            final_stage: FinalStage::default(),
        }
    }
}

impl Sequential {
    /// The published settings: 2000 particles a level, a tenth of them seeds of chains, $\delta = 1.5$,
    /// two components, fits on the particles alone, and 2000 final draws without defence.
    pub fn paper() -> Self {
        Self {
            moves: Moves::Independence,
            samples_per_level: LevelSize::Fixed(2000),
            seed_share: 0.1,
            burn_in: 0,
            weight_cov: 1.5,
            max_levels: 50,
            pooled: false,
            refinements: 0,
            explore: 0.0,
            fit: MixtureFit::default().with_components(Components::Fixed(2)),
            final_stage: FinalStage::paper(2000),
        }
    }

    /// Conditional moves, and three refinements of the first proposal.
    pub fn conditional() -> Self {
        Self {
            moves: Moves::Conditional,
            samples_per_level: LevelSize::Fixed(500),
            refinements: 2,
            ..Self::default()
        }
    }

    /// A builder that starts from the default.
    pub fn builder() -> SequentialBuilder {
        SequentialBuilder::new(Self::default())
    }

    /// A builder that starts from [`conditional`](Self::conditional).
    pub fn conditional_builder() -> SequentialBuilder {
        SequentialBuilder::new(Self::conditional())
    }

    /// A builder that starts from [`paper`](Self::paper).
    pub fn paper_builder() -> SequentialBuilder {
        SequentialBuilder::new(Self::paper())
    }

    /// The state before the first level, for `dim` coordinates.
    pub fn init(&self, dim: usize) -> SequentialState {
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

    /// One level. A state that is done comes back unchanged.
    ///
    /// # Errors
    /// See [`Method::search`].
    pub fn step(
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
        } else if level >= self.max_levels {
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
        let spent = state.levels.iter().map(|l| l.evaluations).sum::<u64>() + more as u64;
        self.final_stage.budget().is_some_and(|budget| 3 * spent > 2 * budget)
    }

    /// Whether another refinement of the final proposal follows.
    fn refines(&self, state: &SequentialState) -> bool {
        self.pooled
            && state.refined < self.refinements
            && (state.pool.failures() > 0 || self.moves == Moves::Conditional)
            && !self.exceeds_search_share(state, self.samples_per_level.at(state.pool.x.nrows()))
    }

    fn chains(&self, dim: usize) -> usize {
        ((self.seed_share * self.samples_per_level.at(dim) as f64) as usize).max(1)
    }

    fn steps(&self, dim: usize) -> usize {
        (self.samples_per_level.at(dim) / self.chains(dim)).max(1)
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
        let samples = self.samples_per_level.at(g.dim());
        let x = nominal.sample(samples, seed)?;
        let (batch, _) = Batch::evaluate(nominal, g, &x)?;
        Error::at_least("a level, in samples with an answer,", 1, batch.len())?;
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
        if self.explore > 0.0 {
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

impl Method for Sequential {
    fn search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<Search, Error> {
        EvalError::check_dim(nominal.dim(), g.dim())?;
        self.check_nominal(nominal)?;
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
