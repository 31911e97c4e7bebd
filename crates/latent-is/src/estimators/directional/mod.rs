//! Directional sampling: exact integration along rays from the origin of standard normal space.
//!
//! With $A$ uniform on the sphere and $r_1 < r_2 < \dots$ the distances at which the ray $rA$ crosses
//! $g = 0$ (safe before the first),
//!
//! $$ P_f = \mathrm E_A\Big[\sum_i (-1)^{i+1} \Pr(\chi^2_d \ge r_i^2)\Big]. \tag{1} $$
//!
//! Exact for a sphere around the origin, excellent where failure surrounds it, cheap up to three
//! coordinates; where failure lies in few directions the variance grows quickly with $d$.
//!
//! Crossings are searched on a grid of radii: two crossings between neighbours of the grid go unseen.
//! One more point at a random radius is evaluated on every ray; where it contradicts the crossings
//! found, the verdict says so. Rays that all tell the same are no proof that the next one does: the
//! coefficient of variation is at least that which a part unseen by $n$ rays can have, $1.5/n$ (at 95 %
//! its share is below $3/n$).
//!
//! # References
//! - O. Ditlevsen, R. Melchers, H. Gluver: General multi-dimensional probability integration by
//!   directional simulation. *Computers & Structures* 36 (1990), 355–368.

mod rays;

use nalgebra::DVector;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::math::rng;
use crate::method::stepwise::{Progress, Stepwise};
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::result::draws::Draws;
use crate::result::estimate::{Estimate, StopReason};
use crate::settings::{Settings, settings};
use rays::Rays;

/// Coefficient of variation, times the number of rays, of a part that they have not seen.
const UNSEEN: f64 = 1.5;
/// Rays before a target can end the run.
const MIN_RAYS: u64 = 50;
/// Most evaluations of a ray beyond its grid: bracketing steps, and the check.
const REFINING: u64 = 24;

/// Directional sampling. See the [module](self).
///
/// ```
/// use latent_is::{Directional, Estimator, FnLimitState, StandardNormal};
///
/// let g = FnLimitState::new(10, |u: &[f64]| 6.5 - u.iter().map(|v| v * v).sum::<f64>().sqrt());
/// let estimate = Directional::default().estimate(&StandardNormal::new(10), &g, 7)?;
/// assert!((estimate.pf() / 6.768222621e-6 - 1.0).abs() < 1e-3);
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Directional {
    batch: usize,
    grid_step: f64,
    target_cov: f64,
    budget: u64,
}

impl Default for Directional {
    /// Batches of 25 rays with a grid step of 1, until a coefficient of variation of 2 % or 20 000
    /// evaluations.
    fn default() -> Self {
        Self { batch: 25, grid_step: 1.0, target_cov: 0.02, budget: 20_000 }
    }
}

settings!(Directional {
    /// Rays searched at once, between two checks of the target.
    batch: usize,
    /// Distance of the radii at which crossings are looked for.
    grid_step: f64,
    /// Coefficient of variation at which to stop.
    target_cov: f64,
    /// Evaluations of the limit state that the last batch may not exceed.
    budget: u64,
});

impl Settings for Directional {
    fn check(&self) -> Result<(), Error> {
        Error::check(self.batch >= 2, "batch", "at least 2", self.batch)?;
        let step = self.grid_step;
        Error::check((0.01..=3.0).contains(&step), "grid_step", "in [0.01, 3]", step)?;
        let target = self.target_cov;
        Error::check(target > 0.0 && target.is_finite(), "target_cov", "positive", target)?;
        Error::check(self.budget >= 1, "budget", "at least 1", self.budget)
    }
}

impl Directional {
    /// Most evaluations of a batch.
    pub(crate) fn next(&self, dim: usize) -> u64 {
        self.batch as u64 * (rays::radii(dim, self.grid_step).len() as u64 + REFINING)
    }
}

/// Directional sampling between two batches; its serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectionalState {
    draws: Draws,
    evaluations: u64,
    batches: u64,
    contradicted: u64,
    stopped: Option<StopReason>,
}

impl DirectionalState {
    /// The state before the first ray, for `dim` coordinates, after `spent` evaluations.
    pub(crate) fn after(dim: usize, spent: u64) -> Self {
        Self {
            draws: Draws::new(dim),
            evaluations: spent,
            batches: 0,
            contradicted: 0,
            stopped: None,
        }
    }

    /// Whether the run has ended.
    pub fn done(&self) -> bool {
        self.stopped.is_some()
    }

    /// Evaluations so far.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Rays so far.
    pub fn rays(&self) -> u64 {
        self.draws.n
    }

    /// Rays on which the check contradicts the crossings found.
    pub fn contradicted(&self) -> u64 {
        self.contradicted
    }

    /// Coefficient of variation of the mean over the rays, once there are enough to tell it.
    pub fn cov(&self) -> Option<f64> {
        let seen = self.draws.tally().cov;
        (self.draws.n >= MIN_RAYS && seen.is_finite()).then(|| self.with_unseen(seen))
    }

    /// Relative variance over the rays, the unseen left out; infinite when none fails.
    pub(crate) fn spread(&self) -> f64 {
        self.draws.tally().cov.powi(2) * self.draws.n as f64
    }

    fn with_unseen(&self, cov: f64) -> f64 {
        cov.hypot(UNSEEN / self.draws.n as f64)
    }

    /// The estimate; one that was cut short says [`StopReason::Budget`].
    pub fn finish(self) -> Estimate {
        let mut estimate = self.draws.estimate();
        estimate.cov = self.with_unseen(estimate.cov);
        estimate.counts.evaluations = self.evaluations;
        estimate.checks.contradicted = self.contradicted;
        estimate.stopped = self.stopped.unwrap_or(StopReason::Budget);
        estimate
    }
}

impl Stepwise for Directional {
    type State = DirectionalState;

    fn name(&self) -> &'static str {
        "directional"
    }

    fn accepts(&self, nominal: &dyn Density) -> Result<(), Error> {
        StandardNormal::require(nominal, "standard normal for directional sampling")?;
        let next = self.next(nominal.dim());
        Error::check(next <= self.budget, "budget", "enough for one batch of rays", self.budget)
    }

    fn init(&self, dim: usize) -> DirectionalState {
        DirectionalState::after(dim, 0)
    }

    fn step(
        &self,
        _nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: DirectionalState,
    ) -> Result<DirectionalState, Error> {
        if state.done() {
            return Ok(state);
        }
        if state.evaluations + self.next(g.dim()) > self.budget {
            state.stopped = Some(StopReason::Budget);
            return Ok(state);
        }
        let seed = rng::derive(seed, "rays", state.batches);
        let rays = Rays::search(g, self.batch, self.grid_step, seed)?;
        state.evaluations += rays.evaluations;
        state.contradicted += rays.contradicted;
        let ln_h = DVector::from_vec(rays.ln_probability);
        let values = ln_h.map(|h| {
            if h.is_nan() {
                f64::NAN
            } else if h > f64::NEG_INFINITY {
                -1.0
            } else {
                1.0
            }
        });
        state.draws.add(rays.points.as_view(), &values, &ln_h, 0.0);
        state.batches += 1;
        if state.cov().is_some_and(|cov| cov <= self.target_cov) {
            state.stopped = Some(StopReason::Converged);
        }
        Ok(state)
    }

    fn progress(&self, state: &DirectionalState) -> Progress {
        let tally = state.draws.tally();
        Progress {
            phase: "rays",
            done: state.done(),
            evaluations: state.evaluations,
            next: self.next(state.draws.dim()),
            ln_pf: Some(tally.ln_pf).filter(|l| l.is_finite()),
            cov: state.cov(),
            level: None,
        }
    }

    fn done(&self, state: &DirectionalState) -> bool {
        state.done()
    }

    fn finish(&self, state: DirectionalState) -> Option<Estimate> {
        (state.draws.n > 0).then(|| state.finish())
    }
}
