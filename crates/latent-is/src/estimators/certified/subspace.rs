//! A proposal that differs from the standard normal distribution in few directions only.
//!
//! With orthonormal directions $V$ (`[d, r]`) and a mixture $h$ of Gaussians on $\mathbb R^r$,
//!
//! $$ q(u) = h(V^\top u) \varphi\bigl((I - V V^\top) u\bigr), \qquad
//!    \frac{q(u)}{p(u)} = \frac{h(V^\top u)}{\varphi_r(V^\top u)}: $$
//!
//! the other $d - r$ coordinates cancel, so that weights do not degenerate with the dimension.

use nalgebra::{DMatrix, DMatrixView, DVector, SymmetricEigen};
use serde::{Deserialize, Serialize};

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::mixture::{Components, GaussianMixture, MixtureFit};
use crate::model::density::{Density, StandardNormal};

/// Up to this many coordinates the mixture has all of them.
const WHOLE: usize = 6;
/// Most components of the mixture.
const COMPONENTS: usize = 6;
/// Numbers of directions that are tried.
const RANKS: [usize; 7] = [1, 2, 3, 4, 6, 8, 10];
/// States of chains that say as much as one independent draw.
const STATES_PER_DRAW: f64 = 4.0;
/// States that a mixture is fitted to, at most.
const POINTS: usize = 2000;
/// States below which half of them cannot be fitted.
const MINIMUM: usize = 20;

/// The proposal. See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Subspace {
    /// Orthonormal directions, `[d, r]`.
    basis: DMatrix<f64>,
    mixture: GaussianMixture,
}

/// How a proposal is fitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    /// Directions, at most.
    pub(super) rank: usize,
    /// Factor on the covariances.
    pub(super) inflation: f64,
}

impl Fit {
    /// Fits the proposal to states `u: [d, n]` of chains, which descend from the draws `roots: [n]`.
    ///
    /// The number of directions is the one with the largest likelihood of states that the fit has not seen: directions
    /// and mixture from one half of the families, likelihood of the other half, both ways.
    pub(super) fn run(
        self,
        u: &DMatrix<f64>,
        roots: &[usize],
        seed: u64,
    ) -> Result<Subspace, Error> {
        let d = u.nrows();
        if d <= WHOLE.min(self.rank) {
            let mixture = mixture(u, seed)?.inflated(self.inflation)?;
            return Ok(Subspace { basis: DMatrix::identity(d, d), mixture });
        }
        let halves: [Vec<usize>; 2] = [0, 1].map(|half| {
            (0..roots.len())
                .filter(|i| rng::derive(seed, "half", roots[*i] as u64) % 2 == half)
                .collect()
        });
        let halves = halves.map(|half| u.select_columns(&half));
        let rank = self.choose(&halves, seed)?;
        let basis = directions(u, rank);
        let mixture = mixture(&basis.tr_mul(u), seed)?.inflated(self.inflation)?;
        Ok(Subspace { basis, mixture })
    }

    /// The number of directions.
    fn choose(self, halves: &[DMatrix<f64>; 2], seed: u64) -> Result<usize, Error> {
        let [a, b] = halves;
        if a.ncols().min(b.ncols()) < MINIMUM {
            return Ok(1);
        }
        let most = self.rank.min(a.nrows());
        let bases = [directions(a, most), directions(b, most)];
        let mut best = (1, f64::NEG_INFINITY);
        for rank in RANKS.into_iter().filter(|rank| *rank <= most) {
            let mut gain = 0.0;
            for (basis, fitted, other) in [(&bases[0], a, b), (&bases[1], b, a)] {
                let basis = basis.columns(0, rank).clone_owned();
                let mixture = mixture(&basis.tr_mul(fitted), seed)?;
                gain += Subspace { basis, mixture }.ln_ratio(other.as_view())?.sum();
            }
            if gain > best.1 {
                best = (rank, gain);
            } else if rank >= 2 * best.0 {
                // More directions than these only cost more.
                break;
            }
        }
        Ok(best.0)
    }
}

/// A mixture of at most [`POINTS`] of the states, which is as good as that of all: they are correlated along chains.
fn mixture(y: &DMatrix<f64>, seed: u64) -> Result<GaussianMixture, Error> {
    let step = y.ncols().div_ceil(POINTS);
    let kept: Vec<usize> = (0..y.ncols()).step_by(step).collect();
    let fit = MixtureFit::default().with_components(Components::Auto { max: COMPONENTS });
    Ok(fit.fit(y.select_columns(&kept).as_view(), &vec![0.0; kept.len()], seed)?.mixture)
}

impl Subspace {
    pub(super) fn components(&self) -> usize {
        self.mixture.len()
    }

    /// Independent draws, `[d, n]`.
    pub(super) fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, EvalError> {
        let mut u = rng::standard_normal(self.basis.nrows(), n, rng::derive(seed, "across", 0));
        let along = self.mixture.sample(n, rng::derive(seed, "along", 0))?;
        let moved = along - self.basis.tr_mul(&u);
        u += &self.basis * moved;
        Ok(u)
    }

    /// $\log q - \log p$ of samples `u: [d, n]`.
    pub(super) fn ln_ratio(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let y = self.basis.tr_mul(&u);
        let nominal = StandardNormal::new(y.nrows()).ln_pdf(y.as_view())?;
        Ok(self.mixture.ln_pdf(y.as_view())? - nominal)
    }
}

/// The `rank` eigenvectors of the matrix of second moments of `u` in which it differs most from that of the standard
/// normal distribution. A Gaussian with the eigenvalue $\lambda$ instead of 1 has the divergence
/// $(\lambda - 1 - \log \lambda) / 2$ from it. Eigenvalues are shrunk towards 1 by the part of their spread that
/// chance explains (Ledoit and Wolf 2004): of few states in many coordinates the smallest are near zero by chance.
fn directions(u: &DMatrix<f64>, rank: usize) -> DMatrix<f64> {
    let (d, n) = u.shape();
    let moments = u * u.transpose() / n as f64;
    // Mean squared distance of single outer products from their mean, over n: the variance of the moments.
    let fourth: f64 = u.column_iter().map(|u| u.norm_squared().powi(2)).sum::<f64>() / n as f64;
    let chance = STATES_PER_DRAW * (fourth - moments.norm_squared()) / n as f64;
    let spread = (&moments - DMatrix::identity(d, d)).norm_squared();
    let shrink = (chance / spread.max(1e-300)).clamp(0.0, 1.0);
    let eigen = SymmetricEigen::new(moments);
    let divergence = |i: &usize| {
        let lambda = (1.0 - shrink) * eigen.eigenvalues[*i] + shrink;
        lambda - 1.0 - lambda.max(1e-300).ln()
    };
    let mut order: Vec<usize> = (0..d).collect();
    order.sort_by(|a, b| divergence(b).total_cmp(&divergence(a)));
    order.truncate(rank);
    eigen.eigenvectors.select_columns(&order)
}
