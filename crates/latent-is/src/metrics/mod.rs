//! What a table says about estimates and proposals: relative error, negative log-likelihood, and the
//! density and coverage of a proposal's failures against reference failures.

mod knn;
mod repeated;

use nalgebra::DMatrixView;
use serde::{Deserialize, Serialize};

pub use knn::{DensityCoverage, KnnReference};
pub use repeated::{Confusion, Repeated, Repetition};

use crate::error::{Error, EvalError};
use crate::model::density::Density;

/// Signed relative error $(\hat P - P) / P$.
pub fn relative_error(pf: f64, reference: f64) -> f64 {
    (pf - reference) / reference
}

/// Errors of repeated estimates of one probability.
///
/// A signed mean lets errors of opposite sign cancel; read it beside the absolute ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// Mean of the estimates.
    pub mean: f64,
    /// Standard deviation of the estimates (divisor `n - 1`; zero for a single one).
    pub sd: f64,
    /// Mean signed relative error.
    pub bias: f64,
    /// Mean absolute relative error.
    pub abs_mean: f64,
    /// Largest absolute relative error.
    pub abs_max: f64,
    /// Root of the mean squared relative error.
    pub rmse: f64,
}

impl Errors {
    /// Errors of the estimates `pf` of `reference`.
    ///
    /// # Errors
    /// [`Error::TooFew`] without an estimate, [`Error::Setting`] unless the reference is positive.
    pub fn new(pf: &[f64], reference: f64) -> Result<Self, Error> {
        Error::at_least("a mean error", 1, pf.len())?;
        Error::check(reference > 0.0, "reference", "positive", reference)?;
        let n = pf.len() as f64;
        let mean = pf.iter().sum::<f64>() / n;
        let squares: f64 = pf.iter().map(|p| (p - mean).powi(2)).sum();
        let errors: Vec<f64> = pf.iter().map(|p| relative_error(*p, reference)).collect();
        Ok(Self {
            mean,
            sd: (squares / (n - 1.0).max(1.0)).sqrt(),
            bias: errors.iter().sum::<f64>() / n,
            abs_mean: errors.iter().map(|e| e.abs()).sum::<f64>() / n,
            abs_max: errors.iter().map(|e| e.abs()).fold(0.0, f64::max),
            rmse: (errors.iter().map(|e| e * e).sum::<f64>() / n).sqrt(),
        })
    }
}

/// Mean negative log-density of the samples: how plausible a proposal's draws are under the nominal
/// density. A proposal that stays near the nominal mode scores low without covering any failure.
///
/// # Shapes
/// - `x`: `[d, n]`
///
/// # Errors
/// [`Error::TooFew`] without a sample, [`Error::Evaluation`] when the density fails.
pub fn nll(density: &dyn Density, x: DMatrixView<'_, f64>) -> Result<f64, Error> {
    Error::at_least("a mean log-density", 1, x.ncols())?;
    EvalError::check_dim(density.dim(), x.nrows())?;
    Ok(-density.ln_pdf(x)?.mean())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;
    use crate::model::density::StandardNormal;

    #[test]
    fn errors_of_opposite_sign_cancel_only_in_the_bias() {
        let e = Errors::new(&[0.9, 1.1, 1.3], 1.0).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} against {b}");
        close(e.bias, 0.1);
        close(e.abs_mean, 0.5 / 3.0);
        close(e.abs_max, 0.3);
        close(e.sd, 0.2);
        close(e.rmse, (0.11_f64 / 3.0).sqrt());
        assert!(Errors::new(&[], 1.0).is_err() && Errors::new(&[1.0], 0.0).is_err());
    }

    #[test]
    fn nll_of_standard_normal_draws_is_their_entropy() {
        let n = 40_000;
        let x = rng::standard_normal(3, n, 6);
        let entropy = 1.5 * (1.0 + crate::math::special::LN_2PI);
        // Var(log phi) = d / 2.
        let z = (nll(&StandardNormal::new(3), x.as_view()).unwrap() - entropy)
            / (1.5 / n as f64).sqrt();
        assert!(z.abs() < 4.0, "z = {z:.2}");
    }
}
