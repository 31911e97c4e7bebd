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

mod level;

use serde::{Deserialize, Serialize};

use crate::estimate::{LevelRecord, StopReason};
use crate::pool::{Batch, Pool};
use crate::{
    Components, Density, Error, EvalError, FinalStage, GaussianMixture, LimitState, Method,
    MixtureFit, Search, rng,
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
    fit: MixtureFit,
    final_stage: FinalStage,
}

impl Default for Sequential {
    fn default() -> Self {
        Self {
            samples_per_level: 1000,
            seed_share: 0.1,
            burn_in: 0,
            weight_cov: 1.5,
            max_levels: 50,
            pooled: true,
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
            fit: MixtureFit::default().with_components(Components::Fixed(2)),
            final_stage: FinalStage::paper(2000),
        }
    }

    /// A builder that starts from the default.
    pub fn builder() -> SequentialBuilder {
        SequentialBuilder { method: Self::default() }
    }

    /// A builder that starts from [`paper`](Self::paper).
    pub fn paper_builder() -> SequentialBuilder {
        SequentialBuilder { method: Self::paper() }
    }

    /// The state before the first level, for `dim` coordinates.
    pub fn init(&self, dim: usize) -> SequentialState {
        SequentialState {
            pool: Pool::new(dim),
            particles: None,
            sigma: None,
            log_z: 0.0,
            log_pf: None,
            proposal: None,
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
        let record = match state.particles.take() {
            None => self.first(nominal, g, seed, &mut state)?,
            Some(particles) => self.advance(nominal, g, seed, &mut state, &particles)?,
        };
        state.levels.push(record);
        let reached = self.reached(&state);
        let spent: u64 = state.levels.iter().map(|l| l.evaluations).sum();
        state.stopped = if reached {
            Some(StopReason::Converged)
        } else if level >= self.max_levels {
            Some(StopReason::Levels)
        } else if self.would_starve(spent + self.candidates() as u64) {
            Some(StopReason::Budget)
        } else {
            None
        };
        if state.stopped.is_some() {
            self.conclude(seed, &mut state)?;
        }
        Ok(state)
    }

    /// Whether the weights to the failure event vary as little as those between levels.
    fn reached(&self, state: &SequentialState) -> bool {
        let cov = |p: &Batch| level::indicator_cov(&p.g, state.sigma);
        state.particles.as_ref().is_some_and(|p| cov(p) <= self.weight_cov)
    }

    fn would_starve(&self, spent: u64) -> bool {
        self.final_stage.budget().is_some_and(|budget| 3 * spent > 2 * budget)
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

    /// Particles from the nominal density.
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
        let record = LevelRecord {
            level: 0,
            threshold: f64::MAX,
            evaluations: self.samples_per_level as u64,
            unknown: batch.unknown,
            failures: batch.failures(),
            ess: batch.len() as f64,
            components: 0,
            acceptance: None,
        };
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
        let q = fitted.mixture;
        let seeds = level::resample(&ln_w, self.chains(), rng::derive(seed, "resample", 0));
        let x = q.sample(self.candidates(), rng::derive(seed, "candidates", 0))?;
        let (candidates, kept) = Batch::evaluate(nominal, g, &x)?;
        let start = level::select(particles, &seeds);
        let plan = level::Chains { steps: self.steps(), burn_in: self.burn_in, sigma };
        let move_seed = rng::derive(seed, "accept", 0);
        let (moved, acceptance) = plan.run(&q, &start, &candidates, &kept, move_seed)?;
        state.pool.add(&candidates, Some(&q))?;
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
        let pool = &state.pool;
        if self.pooled && pool.g.iter().any(|g| *g <= 0.0) {
            let fails = |(w, g): (f64, &f64)| if *g <= 0.0 { w } else { f64::NEG_INFINITY };
            let ln_w: Vec<f64> = pool.ln_weights().zip(&pool.g).map(fails).collect();
            state.proposal = Some(self.fit.fit(pool.x.as_view(), &ln_w, fit_seed)?.mixture);
        } else if ln_w.iter().any(|w| w.is_finite()) {
            let fitted = self.fit.fit(particles.x.as_view(), &ln_w, fit_seed)?;
            state.proposal = Some(fitted.mixture);
        } else if state.proposal.is_none() {
            let flat = vec![0.0; particles.len()];
            let fitted = self.fit.fit(particles.x.as_view(), &flat, fit_seed)?;
            state.proposal = Some(fitted.mixture);
        }
        state.done = true;
        Ok(())
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

/// A sequential search between two levels; its serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequentialState {
    pool: Pool,
    particles: Option<Batch>,
    /// Width of the smoothed indicator; infinite when absent.
    sigma: Option<f64>,
    log_z: f64,
    log_pf: Option<f64>,
    proposal: Option<GaussianMixture>,
    levels: Vec<LevelRecord>,
    stopped: Option<StopReason>,
    done: bool,
}

impl SequentialState {
    /// Whether the search has ended.
    pub fn done(&self) -> bool {
        self.done
    }

    /// Records of the levels so far.
    pub fn levels(&self) -> &[LevelRecord] {
        &self.levels
    }

    /// The outcome; absent before the first mixture was fitted.
    pub fn into_search(self) -> Option<Search> {
        Some(Search {
            proposal: self.proposal?,
            evaluations: self.levels.iter().map(|l| l.evaluations).sum(),
            unknown: self.levels.iter().map(|l| l.unknown).sum(),
            levels: self.levels,
            stopped: self.stopped.unwrap_or(StopReason::Levels),
            log_pf: self.log_pf,
        })
    }
}

/// Builds a [`Sequential`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SequentialBuilder {
    method: Sequential,
}

impl SequentialBuilder {
    /// Particles of each level.
    pub fn samples_per_level(mut self, n: usize) -> Self {
        self.method.samples_per_level = n;
        self
    }

    /// Share of the particles that are resampled as seeds of chains.
    pub fn seed_share(mut self, share: f64) -> Self {
        self.method.seed_share = share;
        self
    }

    /// Steps of each chain that are thrown away (and evaluated).
    pub fn burn_in(mut self, steps: usize) -> Self {
        self.method.burn_in = steps;
        self
    }

    /// Coefficient of variation $\delta$ of the weights between levels.
    pub fn weight_cov(mut self, delta: f64) -> Self {
        self.method.weight_cov = delta;
        self
    }

    /// Most levels before the search gives up.
    pub fn max_levels(mut self, levels: usize) -> Self {
        self.method.max_levels = levels;
        self
    }

    /// Whether fits use every evaluated point or the particles of the last level alone.
    pub fn pooled(mut self, pooled: bool) -> Self {
        self.method.pooled = pooled;
        self
    }

    /// How many components a fit has.
    pub fn components(mut self, components: Components) -> Self {
        self.method.fit = self.method.fit.with_components(components);
        self
    }

    /// The draws that follow the search.
    pub fn final_stage(mut self, stage: FinalStage) -> Self {
        self.method.final_stage = stage;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range.
    pub fn build(self) -> Result<Sequential, Error> {
        let m = self.method;
        let n = m.samples_per_level;
        Error::check(n >= 10, "samples_per_level", "at least 10", n)?;
        let share = m.seed_share;
        Error::check(share > 0.0 && share <= 1.0, "seed_share", "in (0, 1]", share)?;
        let delta = m.weight_cov;
        Error::check(delta > 0.0 && delta.is_finite(), "weight_cov", "positive", delta)?;
        Error::check(m.max_levels >= 1, "max_levels", "at least 1", m.max_levels)?;
        m.fit.check()?;
        Ok(m)
    }
}
