//! The solver: its settings, and the calculation of a certified ellipsoid from points.

mod core_set;
mod initial;
mod newton;
mod quadratic;
mod search;

use nalgebra::{DMatrix, DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::ellipsoid::Ellipsoid;
use crate::error::MveeError;
use crate::frame::{Frame, Span, check_scale};
use crate::linalg::multiply_lower;
use crate::points::Points;
use crate::solution::{AffineHull, HullSolution, Solution, Termination};
use search::{Optimum, search};

/// Settings of the solver for minimum-volume enclosing ellipsoids.
///
/// ```
/// use mvee::Mvee;
/// # use nalgebra::DMatrix;
/// # let corners = DMatrix::from_column_slice(2, 4, &[0., 0., 1., 0., 0., 1., 1., 1.]);
///
/// let solution = Mvee::builder().tolerance(1e-10).build()?.solve(corners.as_view())?;
/// assert!((solution.ellipsoid.shape()[(0, 0)] - 0.5).abs() < 1e-9);
/// assert!(solution.gap <= 1e-10);
/// # Ok::<(), mvee::MveeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "MveeBuilder", into = "MveeBuilder")]
pub struct Mvee {
    settings: MveeBuilder,
}

/// Collects the settings of [`Mvee`]; [`build`](Self::build) checks them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct MveeBuilder {
    tolerance: f64,
    max_iterations: usize,
    ridge: Option<f64>,
}

impl Default for MveeBuilder {
    fn default() -> Self {
        Self { tolerance: 1e-7, max_iterations: 100_000, ridge: None }
    }
}

impl MveeBuilder {
    /// Relative gap $\varepsilon$ to reach, in (0, 1); default 1e-7. The volume is then within a factor
    /// $e^{(d + 1) \varepsilon / 2}$ of the smallest.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Number of steps of all kinds after which the search stops with the current ellipsoid; default
    /// 100 000.
    pub fn max_iterations(mut self, limit: usize) -> Self {
        self.max_iterations = limit;
        self
    }

    /// Gives flat point sets a thickness: their ellipsoid within the affine hull gets semi-axes of
    /// `ridge` times its longest one in the missing directions. Sets that span the space are not
    /// changed. Default: flat sets are refused.
    pub fn ridge(mut self, ridge: f64) -> Self {
        self.ridge = Some(ridge);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`MveeError::Setting`] for a value outside its range.
    pub fn build(self) -> Result<Mvee, MveeError> {
        let refuse =
            |setting, expected, value| Err(MveeError::Setting { setting, expected, value });
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return refuse("tolerance", "in (0, 1)", self.tolerance);
        }
        if self.max_iterations == 0 {
            return refuse("max_iterations", "at least 1", 0.0);
        }
        match self.ridge {
            Some(ridge) if !(ridge > 0.0 && ridge <= 1.0) => refuse("ridge", "in (0, 1]", ridge),
            _ => Ok(Mvee { settings: self }),
        }
    }
}

impl TryFrom<MveeBuilder> for Mvee {
    type Error = MveeError;

    fn try_from(settings: MveeBuilder) -> Result<Self, MveeError> {
        settings.build()
    }
}

impl From<Mvee> for MveeBuilder {
    fn from(mvee: Mvee) -> Self {
        mvee.settings
    }
}

impl Mvee {
    /// Returns the default settings, for changes.
    pub fn builder() -> MveeBuilder {
        MveeBuilder::default()
    }

    /// Returns these settings, for changes.
    pub fn to_builder(&self) -> MveeBuilder {
        self.settings
    }

    /// Relative gap to reach.
    pub fn tolerance(&self) -> f64 {
        self.settings.tolerance
    }

    /// Number of steps of all kinds after which the search stops.
    pub fn max_iterations(&self) -> usize {
        self.settings.max_iterations
    }

    /// Thickness that flat sets get, relative to their longest semi-axis; `None` refuses them.
    pub fn ridge(&self) -> Option<f64> {
        self.settings.ridge
    }

    /// The minimum-volume ellipsoid of the columns of `points: [d, n]`.
    ///
    /// Large sets are processed in parallel; the result does not depend on the number of threads.
    ///
    /// # Errors
    /// - [`MveeError::Empty`], [`MveeError::NotFinite`], [`MveeError::Scale`] for points that have
    ///   no ellipsoid in `f64`;
    /// - [`MveeError::Degenerate`] for fewer than $d + 1$ affinely independent points, unless
    ///   [`ridge`](MveeBuilder::ridge) is set (with it: for a single distinct point).
    pub fn solve(&self, points: DMatrixView<'_, f64>) -> Result<Solution, MveeError> {
        let points = checked(points)?;
        match (self.solve_full(&points), self.settings.ridge) {
            (Err(MveeError::Degenerate { rank, .. }), Some(ridge)) if rank > 0 => {
                self.solve_with_ridge(&points, ridge)
            }
            (result, _) => result,
        }
    }

    /// The minimum-volume ellipsoid of the columns of `points: [d, n]` within their affine hull, which may
    /// have any dimension $1 \le r \le d$.
    ///
    /// # Errors
    /// As [`solve`](Self::solve), with [`MveeError::Degenerate`] only when all points are equal.
    pub fn solve_in_hull(&self, points: DMatrixView<'_, f64>) -> Result<HullSolution, MveeError> {
        self.solve_flat(&checked(points)?)
    }

    fn solve_full(&self, points: &Points<'_>) -> Result<Solution, MveeError> {
        let frame = Frame::fit(points, &points.bounds()?)?;
        let optimum = search(points, &frame, self.settings.tolerance, self.settings.max_iterations);
        Ok(certify(points, &frame, optimum, self.settings.tolerance))
    }

    fn solve_flat(&self, points: &Points<'_>) -> Result<HullSolution, MveeError> {
        let span = Span::of(points, &points.bounds()?);
        let rank = span.picked.len();
        if rank == 0 {
            return Err(MveeError::Degenerate { rank, dim: points.d });
        }
        let origin = DVector::from_column_slice(points.column(span.origin));
        let hull = AffineHull { origin, basis: span.basis(points) };
        let inside = hull.project(points.view());
        let solution = self.solve_full(&Points::owned(rank, inside.as_slice().to_vec()))?;
        Ok(HullSolution { solution, hull })
    }

    fn solve_with_ridge(&self, points: &Points<'_>, ridge: f64) -> Result<Solution, MveeError> {
        let HullSolution { mut solution, hull } = self.solve_flat(points)?;
        let (d, rank) = hull.basis.shape();
        let thickness = ridge * solution.ellipsoid.axes().0[0];
        let mut factor = DMatrix::zeros(d, d);
        factor.columns_mut(0, rank).copy_from(&(&hull.basis * solution.ellipsoid.factor()));
        // The projector onto the missing directions has singular values 1 there and 0 within.
        let missing = DMatrix::identity(d, d) - &hull.basis * hull.basis.transpose();
        let svd = missing.svd(true, false);
        let directions = svd.u.unwrap_or_else(|| DMatrix::identity(d, d));
        let mut order: Vec<usize> = (0..d).collect();
        order.sort_by(|a, b| svd.singular_values[*b].total_cmp(&svd.singular_values[*a]));
        for (k, &column) in order[..d - rank].iter().enumerate() {
            factor.set_column(rank + k, &(directions.column(column) * thickness));
        }
        let center = &hull.origin + &hull.basis * solution.ellipsoid.center();
        let thick = Ellipsoid::from_factor(center, &factor)?;
        let (thick, growth) = enclose(points, &thick);
        solution.ellipsoid = thick;
        solution.inflation *= growth;
        Ok(solution)
    }
}

/// Points as columns, with at least one of at least one coordinate.
fn checked(points: DMatrixView<'_, f64>) -> Result<Points<'_>, MveeError> {
    let (dim, n) = points.shape();
    if dim == 0 || n == 0 {
        return Err(MveeError::Empty { dim, n });
    }
    let points = Points::from_view(points);
    check_scale(&points.bounds()?)?;
    Ok(points)
}

/// Scales the ellipsoid up until it contains every point, if it does not; returns it with the factor.
/// Scaling changes the last digits of a distance, so the result is measured again, with a larger factor each
/// time.
fn enclose(points: &Points<'_>, ellipsoid: &Ellipsoid) -> (Ellipsoid, f64) {
    let (mut current, mut growth) = (ellipsoid.clone(), 1.0);
    let mut margin = points.d as f64 * f64::EPSILON;
    for _ in 0..16 {
        let farthest = farthest(points, &current);
        if farthest <= 1.0 {
            break;
        }
        margin *= 4.0;
        growth *= farthest * (1.0 + margin);
        current = ellipsoid.scaled(growth);
    }
    (current, growth)
}

/// Largest Mahalanobis norm of all points.
fn farthest(points: &Points<'_>, ellipsoid: &Ellipsoid) -> f64 {
    let mut norms = vec![0.0; points.n];
    points.squared_norms(ellipsoid.center().as_slice(), ellipsoid.inverse(), &mut norms);
    norms.iter().fold(0.0_f64, |a, &b| a.max(b)).sqrt()
}

/// Returns the ellipsoid of the weights, scaled up so that it contains all points in their original
/// coordinates.
fn certify(points: &Points<'_>, frame: &Frame, optimum: Optimum, tolerance: f64) -> Solution {
    let d = points.d;
    let lower = multiply_lower(&frame.lower, &optimum.lower, d);
    let offset = crate::linalg::lower_times(&frame.lower, &optimum.center);
    let center = DVector::from_iterator(d, frame.center.iter().zip(&offset).map(|(c, o)| c + o));
    let dual = Ellipsoid::from_lower(center, lower);
    let (ellipsoid, inflation) = enclose(points, &dual);
    // κ = 1 + d ρ² at the farthest point, so ε = κ / (d + 1) - 1 = d (ρ² - 1) / (d + 1).
    let gap = d as f64 * (inflation - 1.0) * (inflation + 1.0) / (d as f64 + 1.0);
    let stopped = match optimum.stopped {
        _ if gap <= tolerance => Termination::Converged,
        Termination::Converged => Termination::Rounding,
        other => other,
    };
    Solution {
        ellipsoid,
        support: optimum.support,
        weights: optimum.weights,
        gap,
        inflation,
        iterations: optimum.iterations,
        stopped,
    }
}
