//! Inputs by a map.

use std::{error::Error, fmt::Debug};

use nalgebra::{DMatrix, DMatrixView};

/// A map from a standard normal $u$ to inputs with a joint distribution that no formula gives, for example
/// a normalizing flow that was trained on observed inputs.
pub trait Transform: Debug + Send + Sync {
    /// Number of inputs `m`.
    fn dim(&self) -> usize;

    /// Number of coordinates of `u`.
    fn latent_dim(&self) -> usize {
        self.dim()
    }

    /// The inputs at standard normal `u`.
    ///
    /// # Shapes
    /// - `u`: `[latent_dim, n]`; returns `[m, n]`
    ///
    /// # Errors
    /// Why the batch cannot be mapped.
    fn transform(
        &self,
        u: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, Box<dyn Error + Send + Sync>>;

    /// The `u` of inputs.
    ///
    /// # Shapes
    /// - `w`: `[m, n]`; returns `[latent_dim, n]`
    ///
    /// # Errors
    /// Why the batch cannot be mapped.
    fn to_normal(
        &self,
        w: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, Box<dyn Error + Send + Sync>>;
}
