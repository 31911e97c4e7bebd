//! The results of the solver.

use nalgebra::{DMatrix, DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::ellipsoid::Ellipsoid;

/// A minimum-volume enclosing ellipsoid and what is needed to judge it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Solution {
    /// Encloses every point: the dual ellipsoid, scaled up by [`inflation`](Self::inflation).
    pub ellipsoid: Ellipsoid,
    /// Indices of the points with positive weight, ascending.
    pub support: Vec<usize>,
    /// Dual weights of the support points, in the same order; positive, sum 1. All other points
    /// have weight 0.
    pub weights: Vec<f64>,
    /// Certified relative gap $\varepsilon = \max_i \kappa_i / (d + 1) - 1$ over all points in their original
    /// coordinates; see
    /// [`ln_volume_gap`](Self::ln_volume_gap) for what it bounds.
    pub gap: f64,
    /// Factor by which the semi-axes of the dual ellipsoid were scaled up, at least 1.
    pub inflation: f64,
    /// Steps of all kinds.
    pub iterations: usize,
    /// Why the search ended.
    pub stopped: Termination,
}

/// Why the search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Termination {
    /// The gap is within the tolerance.
    Converged,
    /// Rounding errors prevent further progress; the gap is larger than the tolerance.
    Rounding,
    /// The iteration limit was reached first; the gap is larger than the tolerance.
    IterationLimit,
}

impl Solution {
    /// Bound on $\ln \mathrm{vol}(E) - \ln \mathrm{vol}(E^\ast)$, $E^\ast$ the smallest enclosing ellipsoid: $d \ln \rho$
    /// with the inflation $\rho$, at most $(d + 1) \varepsilon / 2$. By weak duality, the ellipsoid that any weights
    /// define has at most the volume of any ellipsoid that encloses the points.
    pub fn ln_volume_gap(&self) -> f64 {
        self.ellipsoid.dim() as f64 * self.inflation.ln()
    }

    /// Whether the gap is within the tolerance.
    pub fn converged(&self) -> bool {
        self.stopped == Termination::Converged
    }

    /// Weights of all `n` points, `[n]`.
    ///
    /// # Panics
    /// When `n` is less than the number of points that were enclosed.
    pub fn dense_weights(&self, n: usize) -> DVector<f64> {
        let mut dense = DVector::zeros(n);
        self.support.iter().zip(&self.weights).for_each(|(&i, &w)| dense[i] = w);
        dense
    }
}

/// The affine subspace $\lbrace o + B y : y \in \mathbb R^r \rbrace$ that flat points span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AffineHull {
    /// A point $o$ of the subspace, `[d]`.
    pub origin: DVector<f64>,
    /// Orthonormal directions $B$, `[d, r]`.
    pub basis: DMatrix<f64>,
}

impl AffineHull {
    /// Coordinates $B^\top (x - o)$ within the hull, `[r, n]`, of the columns of `x: [d, n]`.
    ///
    /// # Panics
    /// When `x` does not have `d` rows.
    pub fn project(&self, x: DMatrixView<'_, f64>) -> DMatrix<f64> {
        let mut shifted = x.into_owned();
        shifted.column_iter_mut().for_each(|mut c| c -= &self.origin);
        self.basis.tr_mul(&shifted)
    }

    /// Points $o + B y$, `[d, n]`, of coordinates `y: [r, n]`.
    ///
    /// # Panics
    /// When `y` does not have `r` rows.
    pub fn lift(&self, y: DMatrixView<'_, f64>) -> DMatrix<f64> {
        let mut x = &self.basis * y;
        x.column_iter_mut().for_each(|mut c| c += &self.origin);
        x
    }
}

/// The minimum-volume ellipsoid of flat points within their affine hull.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HullSolution {
    /// The solution in the coordinates of the hull, dimension `r`.
    pub solution: Solution,
    /// The affine hull.
    pub hull: AffineHull,
}
