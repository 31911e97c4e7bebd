//! First-order reliability method: the most probable failure points of standard normal space.
//!
//! A *design point* minimises $\lVert u \rVert$ on $g(u) = 0$; its distance $\beta$ is the reliability index,
//! and the half-space beyond it has the probability $\Phi(-\beta)$. Sequential quadratic programming steps
//! along the solution of
//!
//! $$ \min_s \tfrac12 s^\top B s + u \cdot s \quad \text{subject to} \quad g + \nabla g \cdot s = 0, \tag{1} $$
//!
//! where $B$, the identity at first, learns the second derivatives of
//! $\tfrac12 \lVert u \rVert^2 + \lambda g$ from gradients (with $B = I$ (1) is the step of Hasofer, Lind,
//! Rackwitz and Fiessler, which comes to a halt where the boundary is strongly curved). A step is halved until
//! the merit $\tfrac12 \lVert u \rVert^2 + c |g|$ falls, with $c$ above $|\lambda|$ and
//! $\lVert u \rVert / \lVert \nabla g \rVert$. Gradients are forward differences, one batch of $d$ evaluations
//! each.
//!
//! One start finds one point. [`Form::search`] begins at the origin and at draws around it, and keeps the
//! distinct points; no number of starts proves that there is no further one. The first-order probability is
//! no estimate of $P_f$ where the boundary is curved: use it to begin, see [`Adaptive`](crate::Adaptive).
//!
//! # References
//! - P.-L. Liu, A. Der Kiureghian: Optimization algorithms for structural reliability. *Structural Safety* 9
//!   (1991), 161–177.
//! - Y. Zhang, A. Der Kiureghian: Two improved algorithms for reliability analysis. *Reliability and
//!   Optimization of Structural Systems* (1995), 297–304.
//! - A. Der Kiureghian, T. Dakessian: Multiple design points in first and second-order reliability.
//!   *Structural Safety* 20 (1998), 37–49.

mod curvature;

use nalgebra::{DMatrix, DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::math::special::ln_normal_cdf;
use crate::model::limit_state::LimitState;
use crate::settings::{Settings, settings};
use curvature::Curvature;

/// Halvings of a step before the iteration gives up.
const HALVINGS: usize = 8;
/// How far from the origin the iteration may go, beyond $\sqrt d$.
const FARTHEST: f64 = 9.0;
/// Typical distance from the origin at which the further starts lie, beyond $\sqrt d$.
const START_REACH: f64 = 2.5;
/// Factor by which the weight of $|g|$ in the merit exceeds its least value.
const MERIT: f64 = 2.0;
/// Points closer to each other than this are the same.
pub(crate) const SAME: f64 = 0.5;

/// A search for design points. See the [module](self).
///
/// ```
/// use latent_is::{FnLimitState, Form};
///
/// let g = FnLimitState::new(2, |u: &[f64]| 3.5 - 0.6 * u[0] - 0.8 * u[1]);
/// let found = Form::default().search(&g, 7)?;
/// assert!((found.points[0].beta() - 3.5).abs() < 1e-6);
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Form {
    starts: usize,
    step: f64,
    tolerance: f64,
    max_iterations: usize,
}

impl Default for Form {
    /// Six starts, differences over $10^{-3}$, a tolerance of one per cent and at most 20 iterations.
    fn default() -> Self {
        Self { starts: 6, step: 1e-3, tolerance: 0.01, max_iterations: 20 }
    }
}

settings!(Form {
    /// Starts, the origin among them.
    starts: usize,
    /// Length of the forward differences.
    step: f64,
    /// Accepts a point whose value of $g$ is below this share of the one at the origin and whose
    /// distance from the gradient's direction is below this share of $\beta$ (or of one).
    tolerance: f64,
    /// Largest number of iterations per start.
    max_iterations: usize,
});

impl Settings for Form {
    fn check(&self) -> Result<(), Error> {
        Error::check(self.starts >= 1, "starts", "at least 1", self.starts)?;
        Error::check(self.step > 0.0 && self.step.is_finite(), "step", "positive", self.step)?;
        let unit = self.tolerance > 0.0 && self.tolerance < 1.0;
        Error::check(unit, "tolerance", "in (0, 1)", self.tolerance)?;
        let most = self.max_iterations;
        Error::check(most >= 1, "max_iterations", "at least 1", most)
    }
}

/// Where one start ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DesignPoint {
    /// The point, `[d]`.
    pub point: DVector<f64>,
    /// Unit vector along which $g$ falls fastest there, `[d]`.
    pub direction: DVector<f64>,
    /// The value of $g$ there.
    pub value: f64,
    /// Whether the tolerance was met, on the near side of the failure event.
    pub converged: bool,
}

impl DesignPoint {
    /// Reliability index: the distance from the origin along [`direction`](Self::direction), negative
    /// when the origin fails.
    pub fn beta(&self) -> f64 {
        self.direction.dot(&self.point)
    }

    /// Logarithm of the first-order probability $\Phi(-\beta)$.
    pub fn ln_pf(&self) -> f64 {
        ln_normal_cdf(-self.beta())
    }
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DesignPoints {
    /// The value of $g$ at the origin, or one where it is NaN; absent before the first start.
    pub origin: Option<f64>,
    /// Distinct converged points, the nearest first.
    pub points: Vec<DesignPoint>,
    /// Where other starts ended, away from those points and from each other.
    pub unfinished: Vec<DesignPoint>,
    /// Starts.
    pub starts: usize,
    /// Starts that converged.
    pub converged: usize,
    /// Evaluations of the limit state.
    pub evaluations: u64,
    /// NaN evaluations; a start that meets one ends there.
    pub nan_evaluations: u64,
}

impl DesignPoints {
    /// Adds the ends that are away from those known.
    fn include(&mut self, ends: Vec<DesignPoint>) {
        let (good, rest): (Vec<_>, Vec<_>) = ends.into_iter().partition(|end| end.converged);
        for end in good.into_iter().chain(rest) {
            let mut known = self.points.iter().chain(&self.unfinished);
            if known.all(|other| (&other.point - &end.point).norm() > SAME) {
                if end.converged { &mut self.points } else { &mut self.unfinished }.push(end);
            }
        }
        self.points.sort_by(|a, b| a.beta().total_cmp(&b.beta()));
    }

    /// Adds what further starts found.
    pub(crate) fn merge(&mut self, more: Self) {
        self.origin = self.origin.or(more.origin);
        self.starts += more.starts;
        self.converged += more.converged;
        self.evaluations += more.evaluations;
        self.nan_evaluations += more.nan_evaluations;
        self.include(more.points.into_iter().chain(more.unfinished).collect());
    }
}

/// Evaluations of the starts so far, and how many they may be.
struct Walk<'a> {
    g: &'a dyn LimitState,
    limit: u64,
    evaluations: u64,
    nan_evaluations: u64,
}

impl Walk<'_> {
    /// Values at the columns of `u`; none when one is not finite or the limit does not allow them.
    fn values(&mut self, u: &DMatrix<f64>) -> Result<Option<DVector<f64>>, EvalError> {
        if self.evaluations + u.ncols() as u64 > self.limit {
            return Ok(None);
        }
        let values = self.g.evaluate(u.as_view())?;
        EvalError::check_dim(u.ncols(), values.len())?;
        self.evaluations += u.ncols() as u64;
        self.nan_evaluations += values.iter().filter(|v| v.is_nan()).count() as u64;
        Ok(values.iter().all(|v| v.is_finite()).then_some(values))
    }

    fn value(&mut self, u: &DVector<f64>) -> Result<Option<f64>, EvalError> {
        let one = DMatrix::from_column_slice(u.len(), 1, u.as_slice());
        Ok(self.values(&one)?.map(|v| v[0]))
    }

    /// Forward differences at `u`, where the value is `g`.
    fn gradient(
        &mut self,
        u: &DVector<f64>,
        g: f64,
        step: f64,
    ) -> Result<Option<DVector<f64>>, EvalError> {
        let d = u.len();
        let mut beside = DMatrix::from_fn(d, d, |i, _| u[i]);
        for i in 0..d {
            beside[(i, i)] += step;
        }
        Ok(self.values(&beside)?.map(|v| v.map(|v| (v - g) / step)))
    }
}

impl Form {
    /// Most evaluations of `starts` starts in `dim` coordinates.
    pub(crate) fn most(&self, (starts, dim): (usize, usize)) -> u64 {
        (1 + starts * (1 + self.max_iterations * (dim + 1 + HALVINGS))) as u64
    }

    /// Starts at the origin and at draws around it, as many as the settings say.
    ///
    /// # Errors
    /// [`Error::Evaluation`] when the limit state fails.
    pub fn search(&self, g: &dyn LimitState, seed: u64) -> Result<DesignPoints, Error> {
        let d = g.dim();
        let reach = 1.0 + START_REACH / (d as f64).sqrt();
        let mut starts = rng::standard_normal(d, self.starts, rng::derive(seed, "starts", 0));
        starts *= reach;
        starts.column_mut(0).fill(0.0);
        self.search_from(g, starts.as_view())
    }

    /// Starts at the columns of `starts`, `[d, n]`.
    ///
    /// # Errors
    /// [`Error::Evaluation`] when the limit state fails or `starts` has another dimension.
    pub fn search_from(
        &self,
        g: &dyn LimitState,
        starts: DMatrixView<'_, f64>,
    ) -> Result<DesignPoints, Error> {
        self.search_on(g, None, starts, u64::MAX)
    }

    /// Starts at the columns of `starts`, with at most `limit` evaluations; `origin` is the value at the origin
    /// where it is known.
    pub(crate) fn search_on(
        &self,
        g: &dyn LimitState,
        origin: Option<f64>,
        starts: DMatrixView<'_, f64>,
        limit: u64,
    ) -> Result<DesignPoints, Error> {
        EvalError::check_dim(g.dim(), starts.nrows())?;
        let mut walk = Walk { g, limit, evaluations: 0, nan_evaluations: 0 };
        let origin = match origin {
            Some(known) => known,
            None => walk.value(&DVector::zeros(g.dim()))?.unwrap_or(1.0),
        };
        let mut ends: Vec<DesignPoint> = Vec::new();
        for start in starts.column_iter() {
            let u = start.clone_owned();
            let Some(value) = walk.value(&u)? else { continue };
            ends.extend(self.walk(&mut walk, u, value, origin)?);
        }
        let converged = ends.iter().filter(|end| end.converged).count();
        let mut found = DesignPoints {
            origin: Some(origin),
            starts: starts.ncols(),
            converged,
            evaluations: walk.evaluations,
            nan_evaluations: walk.nan_evaluations,
            ..DesignPoints::default()
        };
        found.include(ends);
        Ok(found)
    }

    /// Iterates from `u`, where the value is `g` and at the origin `origin`; none when no gradient could be
    /// had.
    fn walk(
        &self,
        walk: &mut Walk<'_>,
        mut u: DVector<f64>,
        mut g: f64,
        origin: f64,
    ) -> Result<Option<DesignPoint>, EvalError> {
        let scale = origin.abs().max(f64::MIN_POSITIVE);
        let farthest = (u.len() as f64).sqrt() + FARTHEST;
        let mut curvature = Curvature::new(u.len());
        let mut direction: Option<DVector<f64>> = None;
        for _ in 0..self.max_iterations {
            let Some(gradient) = walk.gradient(&u, g, self.step)? else { break };
            let slope = gradient.norm();
            if slope <= f64::MIN_POSITIVE {
                break;
            }
            let along = -&gradient / slope;
            let beside = (&u - along.dot(&u) * &along).norm();
            if g.abs() <= self.tolerance * scale && beside <= self.tolerance * u.norm().max(1.0) {
                // The far side of a failure event may be nearest to the origin on that side, and is no end.
                let converged = origin <= 0.0 || along.dot(&u) >= 0.0;
                let (point, direction) = (u, along);
                return Ok(Some(DesignPoint { point, direction, value: g, converged }));
            }
            direction = Some(along);
            let Some((step, multiplier)) = curvature.step(&u, g, &gradient) else { break };
            let mut goal = &u + step;
            if goal.norm() > farthest {
                goal *= farthest / goal.norm();
            }
            let weight = MERIT * multiplier.abs().max(u.norm() / slope);
            let merit = |u: &DVector<f64>, g: f64| 0.5 * u.norm_squared() + weight * g.abs();
            let before = merit(&u, g);
            let mut moved = false;
            for halving in 0..=HALVINGS {
                let next = &u + (&goal - &u) * 0.5_f64.powi(halving as i32);
                let Some(value) = walk.value(&next)? else { continue };
                if merit(&next, value) < before {
                    (u, g, moved) = (next, value, true);
                    break;
                }
            }
            if !moved {
                break;
            }
        }
        Ok(direction.map(|direction| DesignPoint {
            point: u,
            direction,
            value: g,
            converged: false,
        }))
    }
}
