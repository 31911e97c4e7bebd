//! Invertible maps between latent space `u` and target space `x`.

use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::error::EvalError;

/// Images of a batch under an invertible map.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// The images, `[d, n]`.
    pub points: DMatrix<f64>,
    /// Log of the absolute Jacobian determinant of the direction taken, `[n]`.
    pub ln_det: DVector<f64>,
}

/// An invertible map $T$ that carries the standard normal `u` to the nominal distribution of `x`.
///
/// Implemented by trained flows and by the analytic maps of the problem zoo.
pub trait Transport: Sync {
    /// Number of coordinates `d`, the same on both sides.
    fn dim(&self) -> usize;

    /// $x = T(u)$ with $\log|\det \partial x/\partial u|$.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`
    ///
    /// # Errors
    /// [`EvalError`] when `u` has another dimension or the batch cannot be mapped.
    fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Mapped, EvalError>;

    /// $x = T(u)$ without the log-determinant, for maps that can leave that work out.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`; returns `[d, n]`
    ///
    /// # Errors
    /// Those of [`decode`](Self::decode).
    fn decode_points(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        Ok(self.decode(u)?.points)
    }

    /// $u = T^{-1}(x)$ with $\log|\det \partial u/\partial x|$.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`
    ///
    /// # Errors
    /// [`EvalError`] when `x` has another dimension or the batch cannot be mapped.
    fn encode(&self, x: DMatrixView<'_, f64>) -> Result<Mapped, EvalError>;
}

impl<T: Transport + ?Sized> Transport for &T {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        (**self).decode(u)
    }

    fn decode_points(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        (**self).decode_points(u)
    }

    fn encode(&self, x: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        (**self).encode(x)
    }
}
