//! Densities: what is sampled from, and with what weight.

use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::math::special::LN_2PI;

/// A normalised density on $\mathbb R^d$ that can be evaluated and drawn from.
pub trait Density: Sync {
    /// Number of coordinates `d`.
    fn dim(&self) -> usize;

    /// Log-density of each sample.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`; returns `[n]`
    ///
    /// # Errors
    /// [`EvalError`] when `x` has another dimension or the batch cannot be evaluated.
    fn ln_pdf(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError>;

    /// `n` independent draws, a function of `seed` alone.
    ///
    /// # Shapes
    /// - returns `[d, n]`
    ///
    /// # Errors
    /// [`EvalError`] when the batch cannot be drawn.
    fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, EvalError>;
}

/// The standard normal density on $\mathbb R^d$: the nominal density of latent space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandardNormal {
    dim: usize,
}

impl StandardNormal {
    /// The standard normal in `dim` coordinates.
    pub fn new(dim: usize) -> Self {
        Self { dim }
    }

    /// Whether `nominal` is the standard normal density, by its values at three points.
    ///
    /// # Errors
    /// [`EvalError`] when `nominal` cannot be evaluated.
    pub fn is(nominal: &dyn Density) -> Result<bool, EvalError> {
        let d = nominal.dim();
        let u = rng::standard_normal(d, 3, 0);
        let standard = Self::new(d).ln_pdf(u.as_view())?;
        Ok((nominal.ln_pdf(u.as_view())? - standard).amax() < 1e-9)
    }

    /// Returns [`Error::Setting`] unless `nominal` is the standard normal density, as `expected` says.
    pub(crate) fn require(nominal: &dyn Density, expected: &'static str) -> Result<(), Error> {
        Error::check(Self::is(nominal)?, "the nominal density", expected, "another")
    }
}

impl Density for StandardNormal {
    fn dim(&self) -> usize {
        self.dim
    }

    fn ln_pdf(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        EvalError::check_dim(self.dim, x.nrows())?;
        let constant = -0.5 * self.dim as f64 * LN_2PI;
        Ok(DVector::from_iterator(
            x.ncols(),
            x.column_iter().map(|u| constant - 0.5 * u.norm_squared()),
        ))
    }

    fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, EvalError> {
        Ok(rng::standard_normal(self.dim, n, seed))
    }
}
