//! One run of subset simulation.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::error::{Error, EvalError};
use crate::estimators::subset::SubsetSimulation;
use crate::estimators::subset::chains::{Particles, Walk};
use crate::math::rng;
use crate::model::limit_state::LimitState;
use crate::result::estimate::{LevelRecord, StopReason};
use crate::search::conditional::FIRST_STEP;

/// A run between two levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RunState {
    particles: Option<Particles>,
    /// Logarithm of the step-size factor.
    ln_step: f64,
    /// Sum of the squared coefficients of variation of the levels so far.
    squared_cov: f64,
    pub(super) levels: Vec<LevelRecord>,
    pub(super) stopped: Option<StopReason>,
}

/// What a finished run gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RunResult {
    /// The failing particles, `[d, m]`.
    pub(super) points: DMatrix<f64>,
    /// Particles of the last level.
    pub(super) draws: u64,
    /// Logarithm of the probability of the last level.
    pub(super) ln_level: f64,
    /// Squared coefficient of variation.
    pub(super) squared_cov: f64,
    pub(super) stopped: StopReason,
}

impl RunResult {
    /// The estimate of the run.
    pub(super) fn pf(&self) -> f64 {
        self.ln_level.exp() * self.points.ncols() as f64 / self.draws.max(1) as f64
    }
}

impl RunState {
    pub(super) fn new() -> Self {
        Self {
            particles: None,
            ln_step: FIRST_STEP.ln(),
            squared_cov: 0.0,
            levels: Vec::new(),
            stopped: None,
        }
    }

    pub(super) fn evaluations(&self) -> u64 {
        self.levels.iter().map(|level| level.evaluations).sum()
    }

    /// The result of a run that has ended.
    pub(super) fn result(&self, settings: &SubsetSimulation) -> RunResult {
        let (points, draws, descent) = match &self.particles {
            Some(p) if p.at_or_below(0.0) > 0 => {
                (p.failing(), p.len() as u64, p.descent_squared_cov())
            }
            Some(p) => (p.failing(), p.len() as u64, f64::INFINITY),
            None => (DMatrix::zeros(0, 0), 0, f64::INFINITY),
        };
        let p0 = settings.chains() as f64 / settings.samples_per_level as f64;
        let depth = self.levels.len().saturating_sub(1) as f64;
        RunResult {
            points,
            draws,
            ln_level: depth * p0.ln(),
            squared_cov: self.squared_cov.max(descent),
            stopped: self.stopped.unwrap_or(StopReason::Levels),
        }
    }

    /// One level.
    pub(super) fn step(
        mut self,
        settings: &SubsetSimulation,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<Self, Error> {
        let level = self.levels.len();
        let seed = rng::derive(seed, "subset level", level as u64);
        let n = settings.samples_per_level;
        let (particles, evaluations, acceptance) = match self.particles.take() {
            None => {
                let u = rng::standard_normal(g.dim(), n, seed);
                let values = g.evaluate(u.as_view())?;
                EvalError::check_dim(n, values.len())?;
                (Particles::new(u, values.as_slice(), 1), n, None)
            }
            Some(from) => {
                let threshold = self.levels[level - 1].threshold;
                let steps = n / settings.chains();
                let walk = Walk { threshold, steps, chains: settings.chains() };
                let moved = walk.run(g, &from, &mut self.ln_step, seed)?;
                (moved.particles, moved.evaluations, Some(moved.acceptance))
            }
        };
        let threshold = particles.quantile(settings.chains()).max(0.0);
        self.squared_cov += particles.squared_cov(threshold);
        self.levels.push(LevelRecord {
            level,
            threshold,
            evaluations: evaluations as u64,
            nan_evaluations: particles.nan_evaluations(),
            failures: particles.at_or_below(0.0) as u64,
            ess: particles.len() as f64,
            components: 0,
            acceptance,
        });
        let before = level.checked_sub(1).map_or(f64::INFINITY, |l| self.levels[l].threshold);
        self.stopped = if threshold <= 0.0 {
            Some(StopReason::Converged)
        } else if threshold >= before {
            Some(StopReason::Stalled)
        } else if level + 1 >= settings.max_levels {
            Some(StopReason::Levels)
        } else {
            None
        };
        self.particles = Some(particles);
        Ok(self)
    }
}
