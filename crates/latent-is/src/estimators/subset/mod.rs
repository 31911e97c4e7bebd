//! Subset simulation with adaptive conditional sampling.
//!
//! In standard normal space, for any dimension. Thresholds $b_1 > b_2 > \dots > b_J = 0$ with $b_j$ the
//! $p_0$-quantile of $g$ at level $j$ split the rare event into frequent ones,
//!
//! $$ \hat P = p_0^{J-1} \frac{n_F}{n}. $$
//!
//! Particles below a threshold are seeds of chains with
//!
//! $$ v = \sqrt{1 - \beta^2} u + \beta z, \quad z \sim \mathcal N(0, I), \tag{7} $$
//!
//! accepted when $g(v) \le b_j$: the Gaussian cancels, so acceptance does not decay with the dimension.
//!
//! A dependable order of magnitude anywhere; where a mixture fits the failure region, the
//! importance-sampling methods are a hundred times cheaper. The coefficient of variation is the larger of
//! two: the sum over the levels with the correlation within chains, and that of the numbers of failing
//! particles that descend from the independent draws of the first level. Neither sees a mode that the
//! particles of the first level do not lead to, and no fresh draws check the result: its verdict is
//! at best [`Suspect`](crate::Status::Suspect).
//!
//! # References
//! - S.-K. Au, J. Beck: Estimation of small failure probabilities in high dimensions by subset
//!   simulation. *Probabilistic Engineering Mechanics* 16 (2001), 263–277.
//! - I. Papaioannou, W. Betz, K. Zwirglmaier, D. Straub: MCMC algorithms for subset simulation.
//!   *Probabilistic Engineering Mechanics* 41 (2015), 89–103.
//! - A. Lee, N. Whiteley: Variance estimation in the particle filter. *Biometrika* 105 (2018), 609–625.

mod chains;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::method::stepwise::{Progress, Stepwise};
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::result::estimate::{Estimate, LevelRecord, SearchRecord, StopReason, WeightedSample};
use crate::search::conditional::FIRST_STEP;
use crate::settings::{Settings, settings};
use chains::{Particles, Walk};

/// Subset simulation. See the [module](self).
///
/// ```
/// use latent_is::{Estimator, FnLimitState, StandardNormal, SubsetSimulation};
///
/// let g = FnLimitState::new(50, |u: &[f64]| 3.5 - u[0]);
/// let estimate = SubsetSimulation::default().estimate(&StandardNormal::new(50), &g, 7)?;
/// assert!(estimate.interval(0.9999).contains(2.326e-4));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SubsetSimulation {
    samples_per_level: usize,
    level_probability: f64,
    max_levels: usize,
}

impl Default for SubsetSimulation {
    /// 2000 particles per level, $p_0 = 0.1$, at most 30 levels.
    fn default() -> Self {
        Self { samples_per_level: 2000, level_probability: 0.1, max_levels: 30 }
    }
}

settings!(SubsetSimulation {
    /// Particles per level.
    samples_per_level: usize,
    /// Share $p_0$ of the particles below the next threshold.
    level_probability: f64,
    /// Largest number of levels before the run gives up.
    max_levels: usize,
});

impl Settings for SubsetSimulation {
    fn check(&self) -> Result<(), Error> {
        let n = self.samples_per_level;
        Error::check(n >= 100, "samples_per_level", "at least 100", n)?;
        let p = self.level_probability;
        Error::check((0.01..=0.5).contains(&p), "level_probability", "in [0.01, 0.5]", p)?;
        Error::check(self.max_levels >= 1, "max_levels", "at least 1", self.max_levels)
    }
}

/// A run between two levels; its serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubsetState {
    particles: Option<Particles>,
    /// Logarithm of the step-size factor.
    ln_step: f64,
    /// Sum of the squared coefficients of variation of the levels so far.
    squared_cov: f64,
    levels: Vec<LevelRecord>,
    stopped: Option<StopReason>,
}

impl SubsetState {
    /// Whether the run has ended.
    pub fn done(&self) -> bool {
        self.stopped.is_some()
    }

    /// Records of the levels so far.
    pub fn levels(&self) -> &[LevelRecord] {
        &self.levels
    }
}

impl SubsetSimulation {
    /// Number of chains of a level.
    fn chains(&self) -> usize {
        ((self.level_probability * self.samples_per_level as f64).round() as usize).max(1)
    }

    /// The estimate after the last level.
    fn conclude(&self, state: SubsetState) -> Estimate {
        let (points, n) = match &state.particles {
            Some(p) => (p.failing(), p.len() as u64),
            None => (DMatrix::zeros(0, 0), 0),
        };
        let p0 = self.chains() as f64 / self.samples_per_level as f64;
        let depth = state.levels.len().saturating_sub(1) as f64;
        let ln_w = DVector::from_element(points.ncols(), depth * p0.ln());
        let mut estimate = Estimate::from_draws(WeightedSample { points, ln_w }, n);
        if estimate.counts.failures > 0 {
            let descent = state.particles.as_ref().map_or(0.0, Particles::descent_squared_cov);
            let squared_cov = state.squared_cov.max(descent);
            estimate.cov = squared_cov.sqrt();
            // As many independent failures as would give the same coefficient of variation.
            estimate.weights.ess = 1.0 / squared_cov;
            estimate.checks.unverified = true;
        }
        estimate.counts.evaluations = state.levels.iter().map(|l| l.evaluations).sum();
        estimate.counts.nan_evaluations = state.levels.iter().map(|l| l.nan_evaluations).sum();
        estimate.stopped = state.stopped.unwrap_or(StopReason::Levels);
        estimate.search =
            Some(SearchRecord { levels: state.levels, stopped: estimate.stopped, ln_pf: None });
        estimate
    }
}

impl Stepwise for SubsetSimulation {
    type State = SubsetState;

    fn name(&self) -> &'static str {
        "subset"
    }

    fn accepts(&self, nominal: &dyn Density) -> Result<(), Error> {
        StandardNormal::require(nominal, "standard normal for subset simulation")
    }

    fn init(&self, _dim: usize) -> SubsetState {
        SubsetState {
            particles: None,
            ln_step: FIRST_STEP.ln(),
            squared_cov: 0.0,
            levels: Vec::new(),
            stopped: None,
        }
    }

    fn step(
        &self,
        _nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: SubsetState,
    ) -> Result<SubsetState, Error> {
        if state.done() {
            return Ok(state);
        }
        let level = state.levels.len();
        let seed = rng::derive(seed, "subset level", level as u64);
        let n = self.samples_per_level;
        let (particles, evaluations, acceptance) = match state.particles.take() {
            None => {
                let u = rng::standard_normal(g.dim(), n, seed);
                let values = g.evaluate(u.as_view())?;
                EvalError::check_dim(n, values.len())?;
                (Particles::new(u, values.as_slice(), 1), n, None)
            }
            Some(from) => {
                let threshold = state.levels[level - 1].threshold;
                let steps = n / self.chains();
                let walk = Walk { threshold, steps, chains: self.chains() };
                let moved = walk.run(g, &from, &mut state.ln_step, seed)?;
                (moved.particles, moved.evaluations, Some(moved.acceptance))
            }
        };
        let threshold = particles.quantile(self.chains()).max(0.0);
        state.squared_cov += particles.squared_cov(threshold);
        state.levels.push(LevelRecord {
            level,
            threshold,
            evaluations: evaluations as u64,
            nan_evaluations: particles.nan_evaluations(),
            failures: particles.at_or_below(0.0) as u64,
            ess: particles.len() as f64,
            components: 0,
            acceptance,
        });
        let before = level.checked_sub(1).map_or(f64::INFINITY, |l| state.levels[l].threshold);
        state.stopped = if threshold <= 0.0 {
            Some(StopReason::Converged)
        } else if threshold >= before {
            Some(StopReason::Stalled)
        } else if level + 1 >= self.max_levels {
            Some(StopReason::Levels)
        } else {
            None
        };
        state.particles = Some(particles);
        Ok(state)
    }

    fn progress(&self, state: &SubsetState) -> Progress {
        Progress {
            phase: "levels",
            done: state.done(),
            evaluations: state.levels.iter().map(|l| l.evaluations).sum(),
            next: self.samples_per_level as u64,
            ln_pf: None,
            cov: None,
            level: state.levels.last().cloned(),
        }
    }

    fn done(&self, state: &SubsetState) -> bool {
        state.done()
    }

    fn finish(&self, state: SubsetState) -> Option<Estimate> {
        state.done().then(|| self.conclude(state))
    }
}
