//! An ellipsoid by its centre and shape.

mod wire;

use nalgebra::{DMatrix, DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::error::MveeError;
use crate::linalg::{cholesky, invert_lower, lower_of_factor, scale};
use crate::points::Points;
use wire::Wire;

/// The solid ellipsoid
///
/// $$ E(c, \Sigma) = \lbrace x \in \mathbb R^d : (x - c)^\top \Sigma^{-1} (x - c) \le 1 \rbrace =
///      \lbrace c + L v : \lVert v \rVert \le 1 \rbrace, \qquad \Sigma = L L^\top. $$
///
/// Centre, shape $\Sigma$ and the Cholesky factor $L$ are kept, with $L^{-1}$ for distances. An
/// ellipsoid made from a factor keeps the accuracy of the factor, which a shape matrix written out
/// in `f64` loses once its condition number passes about $10^{10}$.
///
/// ```
/// use mvee::Ellipsoid;
/// use nalgebra::{DMatrix, DVector};
///
/// let shape = DMatrix::from_row_slice(2, 2, &[4.0, 0.0, 0.0, 1.0]);
/// let ellipse = Ellipsoid::new(DVector::from_vec(vec![1.0, 0.0]), shape)?;
/// assert_eq!(ellipse.mahalanobis(&[3.0, 0.0]), 1.0);
/// assert_eq!(ellipse.distance(&[1.0, 2.0]), 1.0);
/// # Ok::<(), mvee::MveeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Ellipsoid {
    center: DVector<f64>,
    shape: DMatrix<f64>,
    /// Cholesky factor of the shape, row-major.
    lower: Vec<f64>,
    /// Inverse of `lower`, row-major.
    inverse: Vec<f64>,
}

impl Ellipsoid {
    /// The ellipsoid of a `center: [d]` and a `shape: [d, d]`.
    ///
    /// # Errors
    /// [`MveeError::Dimension`] when the sizes differ, [`MveeError::NotPositiveDefinite`] when the
    /// shape is not symmetric (to 1e-9 of its diagonal) or not positive definite.
    pub fn new(center: DVector<f64>, shape: DMatrix<f64>) -> Result<Self, MveeError> {
        let d = center.len();
        check_square(d, &shape)?;
        check_center(&center)?;
        for i in 0..d {
            for j in 0..i {
                let size = (shape[(i, i)] * shape[(j, j)]).abs().sqrt();
                let skew = (shape[(i, j)] - shape[(j, i)]).abs();
                if skew.is_nan() || skew > 1e-9 * size {
                    return Err(MveeError::NotPositiveDefinite { row: i });
                }
            }
        }
        let mut lower: Vec<f64> = shape.transpose().as_slice().to_vec();
        cholesky(&mut lower, d, 0.0).map_err(|row| MveeError::NotPositiveDefinite { row })?;
        if let Some(at) = lower.iter().position(|v| !v.is_finite()) {
            return Err(MveeError::NotPositiveDefinite { row: at / d });
        }
        let inverse = invert_lower(&lower, d);
        Ok(Self { center, shape, lower, inverse })
    }

    /// The image $\lbrace c + F v : \lVert v \rVert \le 1 \rbrace$ of the unit ball, shape $F F^\top$, for any
    /// invertible `factor: [d, d]`.
    ///
    /// # Errors
    /// [`MveeError::Dimension`] when the sizes differ, [`MveeError::NotPositiveDefinite`] when the
    /// factor is singular or not finite.
    pub fn from_factor(center: DVector<f64>, factor: &DMatrix<f64>) -> Result<Self, MveeError> {
        check_square(center.len(), factor)?;
        check_center(&center)?;
        let lower =
            lower_of_factor(factor).map_err(|row| MveeError::NotPositiveDefinite { row })?;
        Ok(Self::from_lower(center, lower))
    }

    /// The ball of `radius` about `center: [d]`.
    ///
    /// # Errors
    /// [`MveeError::Setting`] unless the radius is positive and finite.
    pub fn ball(center: DVector<f64>, radius: f64) -> Result<Self, MveeError> {
        check_center(&center)?;
        check_positive("radius", radius)?;
        let d = center.len();
        let lower = DMatrix::from_diagonal_element(d, d, radius).as_slice().to_vec();
        Ok(Self::from_lower(center, lower))
    }

    /// From a row-major lower triangle with a positive diagonal.
    pub(crate) fn from_lower(center: DVector<f64>, lower: Vec<f64>) -> Self {
        let d = center.len();
        let factor = DMatrix::from_row_slice(d, d, &lower);
        let shape = &factor * factor.transpose();
        let inverse = invert_lower(&lower, d);
        Self { center, shape, lower, inverse }
    }

    /// The same ellipsoid with a shape that was written to a file, if the two shapes agree.
    pub(crate) fn with_shape(mut self, shape: DMatrix<f64>) -> Result<Self, MveeError> {
        check_square(self.dim(), &shape)?;
        for i in 0..self.dim() {
            for j in 0..self.dim() {
                let size = (self.shape[(i, i)] * self.shape[(j, j)]).sqrt();
                let difference = (shape[(i, j)] - self.shape[(i, j)]).abs();
                if difference.is_nan() || difference > 1e-9 * size {
                    return Err(MveeError::NotPositiveDefinite { row: i });
                }
            }
        }
        self.shape = shape;
        Ok(self)
    }

    /// Number of coordinates `d`.
    pub fn dim(&self) -> usize {
        self.center.len()
    }

    /// Centre $c$, `[d]`.
    pub fn center(&self) -> &DVector<f64> {
        &self.center
    }

    /// Shape matrix $\Sigma$, `[d, d]`, in squared units of the points.
    pub fn shape(&self) -> &DMatrix<f64> {
        &self.shape
    }

    /// Cholesky factor $L$ of the shape, `[d, d]`, lower-triangular with a positive diagonal.
    pub fn factor(&self) -> DMatrix<f64> {
        DMatrix::from_row_slice(self.dim(), self.dim(), &self.lower)
    }

    pub(crate) fn lower(&self) -> &[f64] {
        &self.lower
    }

    pub(crate) fn inverse(&self) -> &[f64] {
        &self.inverse
    }

    /// Mahalanobis norm $\lVert L^{-1}(x - c) \rVert$ of a point `x: [d]`: 1 on the surface, not squared.
    ///
    /// # Panics
    /// When `x` does not have `d` coordinates.
    pub fn mahalanobis(&self, x: &[f64]) -> f64 {
        let d = self.dim();
        assert_eq!(x.len(), d, "point has {} coordinates, ellipsoid {d}", x.len());
        let center = self.center.as_slice();
        let mut norm = 0.0;
        for (i, t) in self.inverse.chunks_exact(d).enumerate() {
            let z: f64 = (0..=i).map(|j| t[j] * (x[j] - center[j])).sum();
            norm += z * z;
        }
        norm.sqrt()
    }

    /// Mahalanobis norm less 1 of a point `x: [d]`: negative inside, 0 on the surface, -1 at the
    /// centre.
    ///
    /// # Panics
    /// When `x` does not have `d` coordinates.
    pub fn distance(&self, x: &[f64]) -> f64 {
        self.mahalanobis(x) - 1.0
    }

    /// [`distance`](Self::distance) of every column of `x: [d, n]`, `[n]`, in parallel over blocks
    /// of columns; the result does not depend on the number of threads.
    ///
    /// # Panics
    /// When `x` does not have `d` rows.
    pub fn distances(&self, x: DMatrixView<'_, f64>) -> DVector<f64> {
        let mut out = DVector::zeros(x.ncols());
        self.map_squared_norms(x, out.as_mut_slice(), |norm| norm.sqrt() - 1.0);
        out
    }

    /// A function of the squared Mahalanobis norm of every column.
    pub(crate) fn map_squared_norms(
        &self,
        x: DMatrixView<'_, f64>,
        out: &mut [f64],
        map: impl Fn(f64) -> f64 + Copy + Sync,
    ) {
        let d = self.dim();
        assert_eq!(x.nrows(), d, "points have {} coordinates, ellipsoid {d}", x.nrows());
        Points::from_view(x).map_squared_norms(self.center.as_slice(), &self.inverse, out, map);
    }

    /// Returns whether `x: [d]` lies inside or on the surface, without tolerance for rounding.
    ///
    /// # Panics
    /// When `x` does not have `d` coordinates.
    pub fn contains(&self, x: &[f64]) -> bool {
        self.mahalanobis(x) <= 1.0
    }

    /// Natural logarithm of the determinant of the shape, $2 \sum_i \ln L_{ii}$.
    pub fn ln_det_shape(&self) -> f64 {
        let d = self.dim();
        2.0 * (0..d).map(|i| self.lower[i * d + i].ln()).sum::<f64>()
    }

    /// Natural logarithm of the volume, $\ln V_d + \tfrac12 \ln\det\Sigma$ with
    /// $V_d = \pi^{d/2} / \Gamma(d/2 + 1)$ the volume of the unit ball.
    pub fn ln_volume(&self) -> f64 {
        ln_unit_ball_volume(self.dim()) + 0.5 * self.ln_det_shape()
    }

    /// Semi-axes `[d]`, longest first, and their directions, the unit columns of `[d, d]`: the
    /// singular values and left singular vectors of $L$.
    pub fn axes(&self) -> (DVector<f64>, DMatrix<f64>) {
        let svd = self.factor().svd(true, false);
        let directions = svd.u.unwrap_or_else(|| DMatrix::identity(self.dim(), self.dim()));
        let mut order: Vec<usize> = (0..self.dim()).collect();
        order.sort_by(|a, b| svd.singular_values[*b].total_cmp(&svd.singular_values[*a]));
        let lengths =
            DVector::from_iterator(order.len(), order.iter().map(|&i| svd.singular_values[i]));
        (lengths, directions.select_columns(&order))
    }

    /// The ellipsoid about the same centre with semi-axes `factor` times as long, shape
    /// $s^2 \Sigma$.
    ///
    /// # Errors
    /// [`MveeError::Setting`] unless the factor is positive and finite.
    pub fn scale(&self, factor: f64) -> Result<Self, MveeError> {
        check_positive("scale factor", factor)?;
        Ok(self.scaled(factor))
    }

    /// [`scale`](Self::scale) by a factor that has been checked.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        let mut lower = self.lower.clone();
        scale(factor, &mut lower);
        Self::from_lower(self.center.clone(), lower)
    }

    /// Image under $x \mapsto A x + b$ with an invertible `a: [d, d]` and `b: [d]`: centre
    /// $A c + b$, shape $A \Sigma A^\top$.
    ///
    /// # Errors
    /// [`MveeError::Dimension`] when the sizes differ, [`MveeError::NotPositiveDefinite`] when `a`
    /// is singular.
    pub fn affine_image(&self, a: &DMatrix<f64>, b: &DVector<f64>) -> Result<Self, MveeError> {
        check_square(self.dim(), a)?;
        check_dim(self.dim(), b.len())?;
        Self::from_factor(a * &self.center + b, &(a * self.factor()))
    }
}

/// $\ln V_d$ by the recursion $V_d = \tfrac{2\pi}{d} V_{d-2}$ from $V_0 = 1$, $V_1 = 2$.
fn ln_unit_ball_volume(d: usize) -> f64 {
    let start = if d.is_multiple_of(2) { 0.0 } else { 2.0_f64.ln() };
    (2..=d)
        .filter(|k| k % 2 == d % 2)
        .fold(start, |sum, k| sum + (std::f64::consts::TAU / k as f64).ln())
}

pub(crate) fn check_dim(expected: usize, actual: usize) -> Result<(), MveeError> {
    if expected == actual { Ok(()) } else { Err(MveeError::Dimension { expected, actual }) }
}

fn check_square(d: usize, a: &DMatrix<f64>) -> Result<(), MveeError> {
    check_dim(d, a.nrows())?;
    check_dim(d, a.ncols())
}

pub(crate) fn check_center(center: &DVector<f64>) -> Result<(), MveeError> {
    if center.is_empty() {
        return Err(MveeError::Empty { dim: 0, n: 1 });
    }
    match center.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(MveeError::NotFinite { point: 0, coordinate: at, value: center[at] }),
        None => Ok(()),
    }
}

fn check_positive(setting: &'static str, value: f64) -> Result<(), MveeError> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(MveeError::Setting { setting, expected: "positive and finite", value })
    }
}
