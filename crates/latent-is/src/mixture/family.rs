//! Families of covariances: how many numbers a component's covariance may have.
//!
//! A full covariance needs $d(d+1)/2$ numbers, more than a level's points can support from some twenty
//! coordinates on. Two families need fewer: the diagonal one, and an isotropic covariance with a few
//! spikes,
//!
//! $$ C = \sigma^2 I + \sum_{j \le r} (\lambda_j - \sigma^2) v_j v_j^\top, $$
//!
//! with $(\lambda_j, v_j)$ the eigenpairs that differ most from the rest and $\sigma^2$ the mean of the
//! rest, which is the maximum of the likelihood for given $r$ (probabilistic principal components when the
//! spikes are the largest). Spikes may be small as well: beyond a boundary far out, the distribution is
//! narrow across the boundary and as wide as ever along it.
//!
//! # References
//! - M. Tipping, C. Bishop: Probabilistic principal component analysis. *Journal of the Royal Statistical
//!   Society B* 61 (1999), 611–622.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// Coordinates up to which covariances are full unless asked otherwise.
const MOST_FULL: usize = 20;
/// Most spikes tried.
const MOST_SPIKES: usize = 4;

/// A family of covariances. The spiked one is isotropic but for a few directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Full up to twenty coordinates, above whichever of diagonal and spiked fits better.
    #[default]
    Auto,
    /// Any positive definite matrix.
    Full,
    /// Independent coordinates.
    Diagonal,
    /// Isotropic but for at most four directions, low rank plus isotropic.
    Spiked,
}

impl Family {
    /// The family for `d` coordinates.
    pub(crate) fn in_dim(self, d: usize) -> Self {
        if self == Self::Auto && d <= MOST_FULL { Self::Full } else { self }
    }

    /// Numbers in a covariance: the most that the criterion has to account for.
    pub(super) fn parameters(self, d: usize) -> usize {
        match self {
            Self::Full => d * (d + 1) / 2,
            _ => d,
        }
    }

    /// The member of the family nearest in likelihood to the covariance of `ess` points, with the
    /// number of spikes (and in [`Family::Auto`] the family) of the smallest Bayesian information
    /// criterion.
    pub(crate) fn shape(self, covariance: DMatrix<f64>, ess: f64) -> DMatrix<f64> {
        let spikes = || spiked(&covariance, ess);
        let diagonal = || {
            let variances = covariance.diagonal();
            let ln_det: f64 = variances.iter().map(|v| v.max(f64::MIN_POSITIVE).ln()).sum();
            let parameters = covariance.nrows() as f64;
            (ess * ln_det + parameters * ess.ln(), DMatrix::from_diagonal(&variances))
        };
        match self {
            Self::Full => covariance,
            Self::Diagonal => diagonal().1,
            Self::Spiked => spikes().1,
            Self::Auto => {
                let (a, b) = (spikes(), diagonal());
                if a.0 <= b.0 { a.1 } else { b.1 }
            }
        }
    }
}

/// The best spiked covariance and its criterion: `ess` times the log-determinant (the trace term of the
/// likelihood is the same for all) plus the number of parameters times `log(ess)`.
fn spiked(covariance: &DMatrix<f64>, ess: f64) -> (f64, DMatrix<f64>) {
    let d = covariance.nrows();
    let eigen = covariance.clone().symmetric_eigen();
    let values = &eigen.eigenvalues;
    let (mut first, mut last) = (0, d);
    let mut order: Vec<usize> = (0..d).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut best: Option<(f64, usize, usize, f64)> = None;
    for spikes in 0..=MOST_SPIKES.min(d - 1) {
        let rest = &order[first..last];
        let level = (rest.iter().map(|i| values[*i]).sum::<f64>() / rest.len() as f64)
            .max(f64::MIN_POSITIVE);
        let outside = order[..first].iter().chain(&order[last..]);
        let ln_spikes: f64 = outside.map(|i| values[*i].max(f64::MIN_POSITIVE).ln()).sum();
        let ln_det = rest.len() as f64 * level.ln() + ln_spikes;
        let parameters = (1 + spikes * d - spikes * spikes.saturating_sub(1) / 2) as f64;
        let criterion = ess * ln_det + parameters * ess.ln();
        if best.is_none_or(|(b, ..)| criterion < b) {
            best = Some((criterion, first, last, level));
        }
        // The next spike is the end of the rest that differs more from its level.
        let misfit = |i: usize| {
            let ratio = values[order[i]].max(f64::MIN_POSITIVE) / level;
            ratio - 1.0 - ratio.ln()
        };
        if misfit(first) > misfit(last - 1) { first += 1 } else { last -= 1 }
    }
    let (criterion, first, last, level) = best.expect("no spikes at all are tried first");
    let mut shaped = DMatrix::from_diagonal_element(d, d, level);
    for i in order[..first].iter().chain(&order[last..]) {
        let v = eigen.eigenvectors.column(*i);
        shaped.ger(values[*i] - level, &v, &v, 1.0);
    }
    (criterion, shaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;

    fn sample_covariance(d: usize, n: usize, scale: impl Fn(usize) -> f64) -> DMatrix<f64> {
        let mut x = rng::standard_normal(d, n, 4);
        for mut column in x.column_iter_mut() {
            column.iter_mut().enumerate().for_each(|(i, v)| *v *= scale(i));
        }
        &x * x.transpose() / n as f64
    }

    #[test]
    fn a_narrow_direction_is_kept_and_noise_is_not() {
        let (d, n) = (60, 400);
        let noise = Family::Auto.shape(sample_covariance(d, n, |_| 1.0), n as f64);
        assert!((&noise - DMatrix::identity(d, d)).amax() < 0.03, "{}", noise.diagonal());
        // Standard deviation 0.2 along the diagonal of space, one across.
        let along = nalgebra::DVector::from_element(d, 1.0 / (d as f64).sqrt());
        let squeeze = DMatrix::identity(d, d) - 0.8 * &along * along.transpose();
        let covariance = &squeeze * sample_covariance(d, n, |_| 1.0) * &squeeze;
        let narrow = Family::Auto.shape(covariance, n as f64);
        let variance = (along.transpose() * &narrow * &along)[0];
        let across = (narrow.trace() - variance) / (d - 1) as f64;
        // The sample eigenvalue is low by d / n, its vector is off by an angle of 0.08.
        assert!((variance - 0.04).abs() < 0.02, "{variance}");
        assert!((across - 1.0).abs() < 0.03, "{across}");
    }

    #[test]
    fn different_scales_are_kept_as_a_diagonal() {
        let (d, n) = (40, 400);
        let scale = |i: usize| 0.3 + i as f64 / 20.0;
        let shaped = Family::Auto.shape(sample_covariance(d, n, scale), n as f64);
        for i in 0..d {
            let expected = scale(i) * scale(i);
            // The relative standard error of a variance is sqrt(2 / 400) = 0.07.
            assert!((shaped[(i, i)] / expected - 1.0).abs() < 0.3);
            assert!(i == 0 || shaped[(i, 0)].abs() < 1e-12);
        }
        assert_eq!(Family::Auto.in_dim(20), Family::Full);
        assert_eq!(Family::Auto.in_dim(21), Family::Auto);
    }
}
