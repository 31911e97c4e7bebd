//! What a flow returns for a batch of points.

use nalgebra::{DMatrix, DVector};

/// Points after a pass through a flow; the default is an empty batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// The mapped points, `[d, n]`.
    pub points: DMatrix<f64>,
    /// Natural logarithm of the absolute Jacobian determinant of the direction taken, `[n]`.
    pub ln_det: DVector<f64>,
}

impl Default for Mapped {
    fn default() -> Self {
        Self { points: DMatrix::zeros(0, 0), ln_det: DVector::zeros(0) }
    }
}
