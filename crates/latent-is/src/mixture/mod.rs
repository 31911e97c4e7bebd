//! Mixtures of Gaussians: the proposals of every estimator.
//!
//! $$ q(x) = \sum_k \pi_k \mathcal N(x; m_k, L_k L_k^\top) $$
//!
//! [`GaussianMixture`] is the density; [`MixtureFit`] fits one to weighted points.

pub mod defensive;
pub(crate) mod em;
pub(crate) mod family;
pub(crate) mod fit;
pub(crate) mod kernel;
pub(crate) mod kmeans;
pub(crate) mod lanes;

use nalgebra::{DMatrix, DMatrixView, DVector};
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use em::{EmSettings, EmTrace, expectation_maximization};
pub use family::Family;
pub use fit::{Components, Fitted, MixtureFit};

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::model::density::Density;
use kernel::Kernel;

/// Samples that share one random stream in [`GaussianMixture::sample`].
const BLOCK: usize = 1024;

/// A mixture of Gaussians with full covariances, held as Cholesky factors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct GaussianMixture {
    weights: Vec<f64>,
    means: DMatrix<f64>,
    factors: Vec<DMatrix<f64>>,
}

/// The fields of a mixture before they are checked.
#[derive(Deserialize)]
struct Parts {
    weights: Vec<f64>,
    means: DMatrix<f64>,
    factors: Vec<DMatrix<f64>>,
}

impl TryFrom<Parts> for GaussianMixture {
    type Error = Error;

    fn try_from(parts: Parts) -> Result<Self, Error> {
        // Weights that are already normalised stay as they are, bit for bit.
        let total: f64 = parts.weights.iter().sum();
        let mut mixture = Self::from_factors(parts.weights.clone(), parts.means, parts.factors)?;
        if (total - 1.0).abs() < 1e-9 {
            mixture.weights = parts.weights;
        }
        Ok(mixture)
    }
}

impl GaussianMixture {
    /// A mixture from weights (normalised here), means and covariances.
    ///
    /// # Shapes
    /// - `weights`: `[k]`; `means`: `[d, k]`; `covariances`: `k` times `[d, d]`
    ///
    /// # Errors
    /// [`Error::Mixture`] when the shapes disagree, a number is not finite, a weight is not positive
    /// or a covariance is not positive definite.
    pub fn new(
        weights: Vec<f64>,
        means: DMatrix<f64>,
        covariances: Vec<DMatrix<f64>>,
    ) -> Result<Self, Error> {
        let factors = covariances
            .into_iter()
            .enumerate()
            .map(|(component, covariance)| {
                covariance.cholesky().map(nalgebra::Cholesky::unpack).ok_or(Error::Mixture {
                    component,
                    reason: "its covariance is not positive definite",
                })
            })
            .collect::<Result<_, _>>()?;
        Self::from_factors(weights, means, factors)
    }

    /// A mixture from weights (normalised here), means and lower Cholesky factors.
    ///
    /// # Errors
    /// [`Error::Mixture`] when the shapes disagree, a number is not finite, a weight is not positive
    /// or a factor has a diagonal entry that is not positive.
    pub fn from_factors(
        mut weights: Vec<f64>,
        means: DMatrix<f64>,
        factors: Vec<DMatrix<f64>>,
    ) -> Result<Self, Error> {
        let (d, k) = means.shape();
        let bad = |component, reason| Err(Error::Mixture { component, reason });
        if k == 0 || d == 0 {
            return bad(0, "a mixture needs a component and a coordinate");
        }
        if weights.len() != k || factors.len() != k {
            return bad(0, "weights, means and factors differ in number");
        }
        for (component, factor) in factors.iter().enumerate() {
            if factor.shape() != (d, d) {
                return bad(component, "its factor has another size than its mean");
            }
            if !weights[component].is_finite() || weights[component] <= 0.0 {
                return bad(component, "its weight is not positive");
            }
            let finite = |v: &f64| v.is_finite();
            if !factor.iter().all(finite) || !means.column(component).iter().all(finite) {
                return bad(component, "its mean or factor is not finite");
            }
            if factor.diagonal().iter().any(|v| *v <= 0.0) {
                return bad(component, "its factor has a diagonal entry that is not positive");
            }
        }
        let total: f64 = weights.iter().sum();
        for w in &mut weights {
            *w /= total;
        }
        Ok(Self { weights, means, factors })
    }

    /// Number of components `k`.
    #[expect(clippy::len_without_is_empty, reason = "a mixture always has a component")]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Mixture weights, `[k]`, which add up to one.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Means, `[d, k]`.
    pub fn means(&self) -> &DMatrix<f64> {
        &self.means
    }

    /// Lower Cholesky factors of the covariances, `k` times `[d, d]`.
    pub fn factors(&self) -> &[DMatrix<f64>] {
        &self.factors
    }

    /// Covariance of component `k`, `[d, d]`.
    pub fn covariance(&self, k: usize) -> DMatrix<f64> {
        &self.factors[k] * self.factors[k].transpose()
    }

    /// The mixture with every covariance multiplied by `factor`.
    ///
    /// # Errors
    /// [`Error::Mixture`] unless `factor` is positive and finite.
    pub fn inflated(&self, factor: f64) -> Result<Self, Error> {
        let factors = self.factors.iter().map(|l| l * factor.sqrt()).collect();
        Self::from_factors(self.weights.clone(), self.means.clone(), factors)
    }

    /// The mixture `(1 - share) * self + share * other`.
    ///
    /// # Errors
    /// [`Error::Mixture`] when the dimensions differ or `share` is not in (0, 1).
    pub fn blend(&self, other: &Self, share: f64) -> Result<Self, Error> {
        if self.dim() != other.dim() {
            return Err(Error::Mixture { component: 0, reason: "the dimensions differ" });
        }
        let weights = self.weights.iter().map(|w| (1.0 - share) * w);
        let weights = weights.chain(other.weights.iter().map(|w| share * w)).collect();
        let columns: Vec<_> = self.means.column_iter().chain(other.means.column_iter()).collect();
        let factors = self.factors.iter().chain(&other.factors).cloned().collect();
        Self::from_factors(weights, DMatrix::from_columns(&columns), factors)
    }

    /// Responsibilities of the components for each sample.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`; returns `[k, n]`, columns adding up to one
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when `x` has another dimension.
    pub fn responsibilities(&self, x: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        EvalError::check_dim(self.dim(), x.nrows())?;
        let samples = x.clone_owned();
        Ok(Kernel::new(self).responsibilities(samples.as_slice()))
    }
}

impl Density for GaussianMixture {
    fn dim(&self) -> usize {
        self.means.nrows()
    }

    fn ln_pdf(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        EvalError::check_dim(self.dim(), x.nrows())?;
        let samples = x.clone_owned();
        let mut out = DVector::zeros(x.ncols());
        Kernel::new(self).ln_pdf(samples.as_slice(), out.as_mut_slice());
        Ok(out)
    }

    /// Independent draws; a longer batch begins with the shorter one.
    fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, EvalError> {
        let d = self.dim();
        let mut x = DMatrix::zeros(d, n);
        x.as_mut_slice().par_chunks_mut(d * BLOCK).enumerate().for_each(|(block, out)| {
            let mut rng = rng::stream(seed, block as u64);
            let mut z = vec![0.0; d];
            for sample in out.chunks_exact_mut(d) {
                let mut u: f64 = rng.random();
                let mut k = 0;
                while k + 1 < self.len() && u >= self.weights[k] {
                    u -= self.weights[k];
                    k += 1;
                }
                for z in &mut z {
                    *z = rng.sample(StandardNormal);
                }
                for (i, value) in sample.iter_mut().enumerate() {
                    let row: f64 = (0..=i).map(|j| self.factors[k][(i, j)] * z[j]).sum();
                    *value = self.means[(i, k)] + row;
                }
            }
        });
        Ok(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> GaussianMixture {
        GaussianMixture::new(
            vec![3.0, 1.0],
            DMatrix::from_column_slice(2, 2, &[0.0, 0.0, 4.0, -1.0]),
            vec![
                DMatrix::from_column_slice(2, 2, &[1.0, 0.5, 0.5, 2.0]),
                DMatrix::from_column_slice(2, 2, &[0.25, 0.0, 0.0, 0.09]),
            ],
        )
        .unwrap()
    }

    #[test]
    fn density_agrees_with_the_formula() {
        let q = example();
        let x = DMatrix::from_column_slice(2, 2, &[0.3, -0.7, 3.8, -1.2]);
        let actual = q.ln_pdf(x.as_view()).unwrap();
        for (i, point) in x.column_iter().enumerate() {
            let expected: f64 = (0..2)
                .map(|k| {
                    let c = q.covariance(k);
                    let y = point - q.means().column(k);
                    let square = (y.transpose() * c.clone().try_inverse().unwrap() * &y)[(0, 0)];
                    let norm = std::f64::consts::TAU * c.determinant().sqrt();
                    q.weights()[k] * (-0.5 * square).exp() / norm
                })
                .sum();
            assert!((actual[i] - expected.ln()).abs() < 1e-12);
        }
    }

    #[test]
    fn draws_have_the_moments_of_the_mixture() {
        let q = example();
        let n = 40_000;
        let x = q.sample(n, 11).unwrap();
        // Mean (1, -0.25); variances 0.75 (1) + 0.25 (0.25) + 3 and 0.75 (2) + 0.25 (0.09) + 0.1875.
        for (row, mean, variance) in [(0, 1.0, 3.8125), (1, -0.25, 1.71)] {
            let z = (x.row(row).mean() - mean) / f64::sqrt(variance / n as f64);
            assert!(z.abs() < 4.0, "z = {z:.2}");
        }
    }

    #[test]
    fn a_longer_batch_begins_with_the_shorter_one() {
        let q = example();
        let (long, short) = (q.sample(2500, 3).unwrap(), q.sample(1300, 3).unwrap());
        assert_eq!(short.as_slice(), &long.as_slice()[..short.len()]);
    }

    #[test]
    fn bad_parts_are_refused() {
        let means = DMatrix::zeros(2, 1);
        let singular = DMatrix::from_element(2, 2, 1.0);
        assert!(GaussianMixture::new(vec![1.0], means.clone(), vec![singular]).is_err());
        let identity = DMatrix::identity(2, 2);
        assert!(GaussianMixture::new(vec![0.0], means.clone(), vec![identity.clone()]).is_err());
        assert!(GaussianMixture::new(vec![1.0, 1.0], means, vec![identity]).is_err());
    }

    #[test]
    fn json_keeps_every_bit() {
        let q = example();
        let text = serde_json::to_string(&q).unwrap();
        assert_eq!(serde_json::from_str::<GaussianMixture>(&text).unwrap(), q);
        assert!(
            serde_json::from_str::<GaussianMixture>(&text.replacen("0.75", "-0.75", 1)).is_err()
        );
    }
}
