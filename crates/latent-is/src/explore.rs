//! A wide Gaussian around the nominal law, so that a search looks where falling values of `g` do not
//! lead.
//!
//! Its mean and covariance are those of nominal draws, the covariance widened so that the typical
//! distance from the mean grows from $\sqrt d$ to $\sqrt d + \beta$ standard deviations, where rare
//! failures lie.

use nalgebra::DMatrix;

use crate::{Error, GaussianMixture};

/// How much farther out the typical draw lies, in standard deviations: $\beta$.
const REACH: f64 = 2.5;

/// The wide Gaussian around nominal draws `x: [d, n]`.
pub(crate) fn wide_gaussian(x: &DMatrix<f64>) -> Result<GaussianMixture, Error> {
    let (d, n) = x.shape();
    Error::at_least("a covariance of nominal draws", d + 1, n)?;
    let mean = x.column_mean();
    let mut covariance = DMatrix::zeros(d, d);
    for column in x.column_iter() {
        let centred = column - &mean;
        covariance.ger(1.0 / n as f64, &centred, &centred, 1.0);
    }
    covariance *= (1.0 + REACH / (d as f64).sqrt()).powi(2);
    GaussianMixture::new(vec![1.0], DMatrix::from_columns(&[mean]), vec![covariance])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Density, rng};

    #[test]
    fn draws_lie_farther_out_by_the_reach() {
        let d = 9;
        let wide = wide_gaussian(&rng::standard_normal(d, 20_000, 1)).unwrap();
        let x = wide.sample(20_000, 2).unwrap();
        let mean = x.column_iter().map(|c| c.norm()).sum::<f64>() / 20_000.0;
        // E|z| in nine dimensions is 2.918; the scale is 1 + 2.5 / 3.
        assert!((mean - 2.918 * (1.0 + REACH / 3.0)).abs() < 0.05, "{mean}");
        assert!(wide_gaussian(&DMatrix::zeros(3, 3)).is_err());
    }
}
