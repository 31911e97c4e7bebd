//! Sequential importance sampling with independence moves from a Gaussian mixture.
//!
//! Particles pass through $f_j(x) \propto p(x)\, \Phi(-g(x)/\sigma_j)$ with $\infty = \sigma_0 > \sigma_1 > \dots$;
//! each $\sigma_j$ is the one at which the weights $\Phi(-g/\sigma_j) / \Phi(-g/\sigma_{j-1})$ have the coefficient
//! of variation $\delta$. After resampling, chains of Metropolis–Hastings steps with candidates
//! $v \sim q_j$, a mixture fitted to $f_j$, accept with
//!
//! $$ \log\alpha = [\log p(v) + \log\Phi(-g(v)/\sigma_j) - \log q_j(v)]
//!              - [\log p(x) + \log\Phi(-g(x)/\sigma_j) - \log q_j(x)], \tag{6} $$
//!
//! where $p$ is the nominal density of the space the chain runs in. The levels stop when
//! $\mathbf 1\{g \le 0\} / \Phi(-g/\sigma_j)$ has a coefficient of variation of at most $\delta$. The product of
//! the level means estimates $P_f$ with a large variance; the search ends with a mixture for fresh draws.
//!
//! Independence candidates do not depend on the chains, so a level evaluates all of them as one
//! batch, and the accepted and rejected ones alike serve the pooled fits of the default.
//!
//! # References
//! - I. Papaioannou, C. Papadimitriou, D. Straub: Sequential importance sampling for structural
//!   reliability analysis. *Structural Safety* 62 (2016), 66–75.

mod builder;
mod level;
mod state;

use serde::{Deserialize, Serialize};

pub use builder::SequentialBuilder;
pub use state::SequentialState;

use crate::estimate::{LevelRecord, StopReason};
use crate::explore::Explorer;
use crate::mixture::Fitted;
use crate::pool::{Batch, Pool};
use crate::{
    Components, Density, Error, EvalError, FinalStage, LimitState, Method, MixtureFit, Search, rng,
};

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
    samples_per_level: usize,
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
            samples_per_level: 600,
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
            samples_per_level: 2000,
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

    /// A builder that starts from the default.
    pub fn builder() -> SequentialBuilder {
        SequentialBuilder::new(Self::default())
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
            sigma: None,
            log_z: 0.0,
            log_pf: None,
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
            state.levels.push(record);
            state.refined += 1;
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
        } else if self.would_starve(&state, self.candidates()) {
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

    /// Whether the weights to the failure event vary as little as those between levels.
    fn reached(&self, state: &SequentialState) -> bool {
        let cov = |p: &Batch| level::indicator_cov(&p.g, state.sigma);
        state.particles.as_ref().is_some_and(|p| cov(p) <= self.weight_cov)
    }

    /// Whether `more` evaluations would leave less than a third of the budget to the final draws.
    fn would_starve(&self, state: &SequentialState, more: usize) -> bool {
        let spent = state.levels.iter().map(|l| l.evaluations).sum::<u64>() + more as u64;
        self.final_stage.budget().is_some_and(|budget| 3 * spent > 2 * budget)
    }

    /// Whether another refinement of the final proposal follows.
    fn refines(&self, state: &SequentialState) -> bool {
        self.pooled
            && state.refined < self.refinements
            && state.pool.failures() > 0
            && !self.would_starve(state, self.samples_per_level)
    }

    fn chains(&self) -> usize {
        ((self.seed_share * self.samples_per_level as f64) as usize).max(1)
    }

    fn steps(&self) -> usize {
        (self.samples_per_level / self.chains()).max(1)
    }

    fn candidates(&self) -> usize {
        self.chains() * (self.burn_in + self.steps())
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
        let x = nominal.sample(self.samples_per_level, seed)?;
        let (batch, _) = Batch::evaluate(nominal, g, &x)?;
        Error::at_least("a level, in samples with an answer,", 1, batch.len())?;
        state.pool.add(&batch, None)?;
        let mut record = LevelRecord {
            level: 0,
            threshold: f64::MAX,
            evaluations: self.samples_per_level as u64,
            unknown: batch.unknown,
            failures: batch.failures(),
            ess: batch.len() as f64,
            components: 0,
            acceptance: None,
        };
        if self.explore > 0.0 {
            let mut explorer = Explorer::new(&x)?;
            let n = self.samples_per_level / 2;
            let x = explorer.proposal().sample(n, rng::derive(seed, "wide", 0))?;
            let (more, _) = Batch::evaluate(nominal, g, &x)?;
            state.pool.add(&more, Some(explorer.proposal()))?;
            explorer.follow(&state.pool)?;
            record.evaluations += x.ncols() as u64;
            record.unknown += more.unknown;
            record.failures += more.failures();
            state.explorer = Some(explorer);
        }
        state.particles = Some(batch);
        Ok(record)
    }

    /// Narrows the smoothed indicator, fits the mixture, resamples and moves.
    fn advance(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: &mut SequentialState,
        particles: &Batch,
    ) -> Result<LevelRecord, Error> {
        let sigma = level::next_sigma(&particles.g, state.sigma, self.weight_cov);
        let ln_w = level::ln_increments(&particles.g, state.sigma, sigma);
        state.log_z += level::ln_mean_exp(&ln_w);
        let fit_seed = rng::derive(seed, "fit", 0);
        let fitted = if self.pooled {
            let pool = &state.pool;
            let smooth = |(w, g): (f64, &f64)| w + level::ln_indicator(*g, Some(sigma));
            let ln_w: Vec<f64> = pool.ln_weights().zip(&pool.g).map(smooth).collect();
            self.fit.fit(pool.x.as_view(), &ln_w, fit_seed)?
        } else {
            self.fit.fit(particles.x.as_view(), &ln_w, fit_seed)?
        };
        let q = state.widened(fitted.mixture, self.explore)?;
        let seeds = level::resample(&ln_w, self.chains(), rng::derive(seed, "resample", 0));
        let x = q.sample(self.candidates(), rng::derive(seed, "candidates", 0))?;
        let (candidates, kept) = Batch::evaluate(nominal, g, &x)?;
        let start = level::select(particles, &seeds);
        let plan = level::Chains { steps: self.steps(), burn_in: self.burn_in, sigma };
        let move_seed = rng::derive(seed, "accept", 0);
        let (moved, acceptance) = plan.run(&q, &start, &candidates, &kept, move_seed)?;
        state.pool.add(&candidates, Some(&q))?;
        if let Some(explorer) = &mut state.explorer {
            explorer.follow(&state.pool)?;
        }
        state.sigma = Some(sigma);
        state.particles = Some(moved);
        let record = LevelRecord {
            level: state.levels.len(),
            threshold: sigma,
            evaluations: x.ncols() as u64,
            unknown: candidates.unknown,
            failures: candidates.failures(),
            ess: fitted.ess,
            components: q.len(),
            acceptance: Some(acceptance),
        };
        state.proposal = Some(q);
        Ok(record)
    }

    /// The product estimate (5) and the mixture for the final draws, fitted to the failing points
    /// after the last move.
    fn conclude(&self, seed: u64, state: &mut SequentialState) -> Result<(), Error> {
        let particles = state.particles.as_ref().expect("a level leaves particles");
        let ln_w = level::ln_to_failure(&particles.g, state.sigma);
        // Before the first narrowing the indicator is constant and cancels.
        let product = state.log_z
            + level::ln_mean_exp(&ln_w)
            + if state.sigma.is_none() { level::ln_indicator(1.0, None) } else { 0.0 };
        state.log_pf = product.is_finite().then_some(product);
        let fit_seed = rng::derive(seed, "final fit", 0);
        let fitted = if self.pooled && state.pool.failures() > 0 {
            Some(self.fit_failures(&state.pool, fit_seed)?)
        } else if ln_w.iter().any(|w| w.is_finite()) {
            Some(self.fit.fit(particles.x.as_view(), &ln_w, fit_seed)?)
        } else if state.proposal.is_none() {
            let flat = vec![0.0; particles.len()];
            Some(self.fit.fit(particles.x.as_view(), &flat, fit_seed)?)
        } else {
            None
        };
        if let Some(fitted) = fitted {
            state.proposal = Some(state.widened(fitted.mixture, self.explore)?);
        }
        Ok(())
    }

    /// A mixture for the failing points of all levels.
    fn fit_failures(&self, pool: &Pool, seed: u64) -> Result<Fitted, Error> {
        let fails = |(w, g): (f64, &f64)| if *g <= 0.0 { w } else { f64::NEG_INFINITY };
        let ln_w: Vec<f64> = pool.ln_weights().zip(&pool.g).map(fails).collect();
        self.fit.fit(pool.x.as_view(), &ln_w, seed)
    }

    /// Draws from the final proposal and fits it again with them.
    fn refine(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: &mut SequentialState,
    ) -> Result<LevelRecord, Error> {
        let q = state.proposal.take().ok_or(Error::Weights)?;
        let x = q.sample(self.samples_per_level, rng::derive(seed, "draws", 0))?;
        let (batch, _) = Batch::evaluate(nominal, g, &x)?;
        state.pool.add(&batch, Some(&q))?;
        let fitted = self.fit_failures(&state.pool, rng::derive(seed, "fit", 0))?;
        let record = LevelRecord {
            level: state.levels.len(),
            threshold: 0.0,
            evaluations: x.ncols() as u64,
            unknown: batch.unknown,
            failures: batch.failures(),
            ess: fitted.ess,
            components: fitted.mixture.len(),
            acceptance: None,
        };
        state.proposal = Some(state.widened(fitted.mixture, self.explore)?);
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
