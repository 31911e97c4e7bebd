//! Exploration: draws from places that falling values of `g` under the nominal distribution do not lead to.
//!
//! A *wide* distribution around the nominal one: two Gaussians with its mean and its covariance, scaled so
//! that the typical distance from the mean grows from $\sqrt d$ to $\sqrt d + \beta$ standard deviations,
//! where rare failures lie. An [`Explorer`] then follows falling values of `g` under its own draws. Of the
//! points with $g \le \gamma_t$, the $\rho$-quantile under its last proposal, it picks a few *exploration
//! centres* that lie as far from each other as possible and draws around all of them with equal weight.
//! So it keeps modes that carry no weight on the way to them, and too few points for a fit, until they are
//! reached. Failures whose weight is negligible take no part, so that it does not follow the tails.
//!
//! # References
//! - T. Gonzalez: Clustering to minimize the maximum intercluster distance. *Theoretical Computer
//!   Science* 38 (1985), 293–306.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::math::special::ln_sum_exp;
use crate::mixture::GaussianMixture;
use crate::mixture::family::Family;
use crate::model::density::Density;
use crate::search::level_size::FEW_COORDINATES;
use crate::search::pool::Pool;

/// How much farther out the typical draw lies, in standard deviations: $\beta$.
const REACH: f64 = 2.5;
/// The same for the farther part of the wide distribution, for tails that the covariance does not show.
const FAR_REACH: f64 = 6.0;
/// Share of the farther part in the wide distribution, and of the wide distribution in the explorer's proposal.
const HALF: f64 = 0.5;
/// Share of its draws that the explorer's threshold keeps.
const QUANTILE: f64 = 0.1;
/// Largest number of exploration centres.
const MAX_CENTRES: usize = 8;
/// Smallest width of the draws around a centre, in standard deviations of the farther wide distribution.
const MIN_WIDTH: f64 = 0.05;
/// Log of the share in the weight of the elite below which a failure takes no part.
pub(crate) const LN_NEGLIGIBLE: f64 = -14.0;
/// Factor on the exploration share in a level, against that in the final draws.
const LEVEL_FACTOR: f64 = 4.0;
/// Mean and covariance of nominal draws `x: [d, n]`, the covariance widened by `reach`.
fn widened(x: &DMatrix<f64>, reach: f64) -> Result<GaussianMixture, Error> {
    let (d, n) = x.shape();
    Error::at_least("a covariance of nominal draws", d + 1, n)?;
    let mean = x.column_mean();
    let mut covariance = DMatrix::zeros(d, d);
    for column in x.column_iter() {
        let centred = column - &mean;
        covariance.ger(1.0 / n as f64, &centred, &centred, 1.0);
    }
    let mut covariance = Family::Auto.in_dim(d).shape(covariance, n as f64);
    covariance *= (1.0 + reach / (d as f64).sqrt()).powi(2);
    GaussianMixture::new(vec![1.0], DMatrix::from_columns(&[mean]), vec![covariance])
}

/// The wide Gaussian around nominal draws `x: [d, n]`.
pub(crate) fn wide_gaussian(x: &DMatrix<f64>) -> Result<GaussianMixture, Error> {
    widened(x, REACH)
}

/// What a search draws its explorative share from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Explorer {
    /// The wide distribution.
    base: GaussianMixture,
    /// Its farther part: the unit of distances.
    far: GaussianMixture,
    /// The wide distribution and the exploration centres so far.
    now: GaussianMixture,
    /// Whether draws were made after the threshold had reached zero.
    sampled_at_zero: bool,
    /// Whether the threshold has reached zero.
    reached_zero: bool,
}

impl Explorer {
    /// An explorer around nominal draws `x: [d, n]`.
    pub(crate) fn new(x: &DMatrix<f64>) -> Result<Self, Error> {
        let (near, far) = (wide_gaussian(x)?, widened(x, FAR_REACH)?);
        let base = if x.nrows() > FEW_COORDINATES { near } else { near.blend(&far, HALF)? };
        Ok(Self { now: base.clone(), base, far, sampled_at_zero: false, reached_zero: false })
    }

    /// What to draw from next.
    pub(crate) fn proposal(&self) -> &GaussianMixture {
        &self.now
    }

    /// Share of a level's draws when the final draws have the share `explore`.
    pub(crate) fn level_share(&self, explore: f64) -> f64 {
        if self.far.dim() > FEW_COORDINATES {
            explore
        } else {
            (LEVEL_FACTOR * explore).min(0.5).max(explore)
        }
    }

    /// Whether it has sampled after its threshold reached zero, or stays with the wide distribution.
    pub(crate) fn sampled_at_zero(&self) -> bool {
        self.sampled_at_zero || self.far.dim() > FEW_COORDINATES
    }

    /// Follows the points seen so far, the last of them drawn from its proposal.
    pub(crate) fn follow(&mut self, pool: &Pool) -> Result<(), Error> {
        if pool.x.nrows() > FEW_COORDINATES {
            return Ok(());
        }
        let ln_now = self.now.ln_pdf(pool.x.as_view())?;
        let ln_w: Vec<f64> = ln_now.iter().zip(pool.ln_mixture()).map(|(q, all)| q - all).collect();
        let threshold = quantile(&pool.g, &ln_w).max(0.0);
        self.sampled_at_zero = self.reached_zero;
        self.reached_zero |= threshold <= 0.0;
        let elite: Vec<(usize, f64)> =
            pool.ln_weights().enumerate().filter(|(i, _)| pool.g[*i] <= threshold).collect();
        let total = ln_sum_exp(&elite.iter().map(|(_, w)| *w).collect::<Vec<_>>());
        let kept: Vec<usize> = elite
            .iter()
            .filter(|(_, w)| threshold > 0.0 || w - total > LN_NEGLIGIBLE)
            .map(|(i, _)| *i)
            .collect();
        if !kept.is_empty() {
            self.now = self.around(&pool.x.select_columns(&kept))?.blend(&self.base, HALF)?;
        }
        Ok(())
    }

    /// A Gaussian around each of a few centres that cover the points, all with the same weight.
    fn around(&self, x: &DMatrix<f64>) -> Result<GaussianMixture, Error> {
        let (d, factor) = (x.nrows(), &self.far.factors()[0]);
        let z =
            factor.solve_lower_triangular(x).expect("a Cholesky factor has a positive diagonal");
        let (centres, nearest, radius) = cover(&z, MAX_CENTRES);
        let width = (0.5 * radius).max(MIN_WIDTH);
        let mut counts = vec![0.0; centres.len()];
        let mut means = DMatrix::zeros(d, centres.len());
        for (column, centre) in z.column_iter().zip(&nearest) {
            means.column_mut(*centre).axpy(1.0, &column, 1.0);
            counts[*centre] += 1.0;
        }
        means.column_iter_mut().zip(&counts).for_each(|(mut mean, n)| mean /= *n);
        let mut spreads = vec![DMatrix::from_diagonal_element(d, d, width * width); centres.len()];
        for (column, centre) in z.column_iter().zip(&nearest) {
            let centred = column - means.column(*centre);
            spreads[*centre].ger(1.0 / counts[*centre], &centred, &centred, 1.0);
        }
        let covariances = spreads.iter().map(|s| factor * s * factor.transpose()).collect();
        GaussianMixture::new(vec![1.0; centres.len()], factor * means, covariances)
    }
}

/// At most `most` columns that cover all columns, picked farthest first; which of them is nearest to each column; and
/// the largest distance to the nearest.
pub(crate) fn cover(z: &DMatrix<f64>, most: usize) -> (Vec<usize>, Vec<usize>, f64) {
    let mut centres = vec![0];
    let mut nearest = vec![0; z.ncols()];
    let distance = |i: usize, centre: usize| (z.column(i) - z.column(centre)).norm();
    let mut distances = DVector::from_fn(z.ncols(), |i, _| distance(i, 0));
    while centres.len() < most.min(z.ncols()) {
        let (farthest, radius) = distances.argmax();
        if radius <= 0.0 {
            break;
        }
        for i in 0..z.ncols() {
            let d = distance(i, farthest);
            if d < distances[i] {
                (distances[i], nearest[i]) = (d, centres.len());
            }
        }
        centres.push(farthest);
    }
    let radius = distances.max();
    (centres, nearest, radius)
}

/// The smallest value with at least the share [`QUANTILE`] of the weight at or below it.
fn quantile(g: &[f64], ln_w: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..g.len()).collect();
    order.sort_by(|a, b| g[*a].total_cmp(&g[*b]));
    let total = ln_sum_exp(ln_w);
    let mut sum = 0.0;
    for i in &order {
        sum += (ln_w[*i] - total).exp();
        if sum >= QUANTILE {
            return g[*i];
        }
    }
    order.last().map_or(0.0, |i| g[*i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;
    use crate::model::density::StandardNormal;
    use crate::model::limit_state::FnLimitState;
    use crate::search::pool::Batch;

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

    #[test]
    fn the_explorer_keeps_a_mode_that_is_thousands_of_times_less_probable() {
        // Failure beyond 3 to the right and beyond 5 to the left: 4700 to one.
        let nominal = StandardNormal::new(2);
        let g = FnLimitState::new(2, |x: &[f64]| (3.0 - x[0]).min(5.0 + x[0]));
        let x = nominal.sample(400, 1).unwrap();
        let mut pool = Pool::new(2);
        pool.add(&Batch::evaluate(&nominal, &g, &x).unwrap().0, None).unwrap();
        let mut explorer = Explorer::new(&x).unwrap();
        for level in 0..3 {
            let q = explorer.proposal().clone();
            let x = q.sample(200, rng::derive(2, "draws", level)).unwrap();
            pool.add(&Batch::evaluate(&nominal, &g, &x).unwrap().0, Some(&q)).unwrap();
            explorer.follow(&pool).unwrap();
        }
        let draws = explorer.proposal().sample(4000, 9).unwrap();
        let share = |side: f64, edge: f64| {
            draws.row(0).iter().filter(|x| side * **x > edge).count() as f64 / 4000.0
        };
        assert!(share(1.0, 3.0) > 0.2 && share(-1.0, 5.0) > 0.1, "{}", share(-1.0, 5.0));
    }
}
