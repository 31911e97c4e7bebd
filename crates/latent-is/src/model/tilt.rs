//! Densities tilted towards failure: what a flow has to learn to know a tail.
//!
//! Maximum likelihood does not teach a flow a region of probability $10^{-5}$: it adds nothing to the likelihood. With
//! scores $g_j$, small near failure, and their distribution functions $F_j(t) = P(g_j \le t)$, let
//!
//! $$ \omega(x) = \alpha + (1 - \alpha) \frac1k \sum_{j=1}^k
//!    \frac{1 / F_j(g_j(x))}{\mathrm E_p\bigl[1 / F_j(g_j)\bigr]}, \qquad \mathrm E_p[\omega] = 1. \tag{1} $$
//!
//! A flow $r$ that is trained on outcomes with weights proportional to $p \omega$ sees every power of ten of $F_j$
//! equally often, and
//!
//! $$ p(x) = Z \frac{r(x)}{\omega(x)}, \qquad \frac1Z = \mathrm E_r\Bigl[\frac1\omega\Bigr], \tag{2} $$
//!
//! where $Z$ is near one if the flow has learnt its density. In the latent space of the flow (2) is the nominal
//! density $\varphi(u) Z / \omega(T(u))$ ([`Tilted`]). Below failure $F_j$ is constant: all failures are alike.

use std::f64::consts::LN_2;

use nalgebra::{DMatrix, DMatrixView, DVector};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use tails::normal::inverse_ln_cdf;

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::math::special::{ln_add_exp, ln_sum_exp};
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;

/// Rows below the lowest knot of a distribution function, at least.
const FEW: usize = 50;
/// Distance of the knots in the logarithm of the probability.
const SPACING: f64 = 0.25;
/// Draws at once when sampling.
const BATCH: usize = 10_000;
/// Batches without a draw that is accepted, after which sampling gives up.
const PATIENCE: usize = 100;

/// The distribution function of a score, from weighted rows, down to failure: linear in the logarithm of the
/// probability between knots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreDistribution {
    /// Values of the score, increasing.
    thresholds: Vec<f64>,
    /// Logarithms of the probability of a value up to each, increasing to 0.
    ln_p: Vec<f64>,
}

impl ScoreDistribution {
    /// The distribution function of `values: [n]` with log-weights `ln_w: [n]`. NaN counts as infinity.
    ///
    /// # Errors
    /// [`Error::Setting`] when the numbers differ or fewer than 50 rows have a value.
    pub fn of(values: &[f64], ln_w: &[f64]) -> Result<Self, Error> {
        let (n, weights) = (values.len(), ln_w.len());
        Error::check(n == weights, "the number of weights", "that of the values", weights)?;
        let mut rows: Vec<usize> = (0..n).filter(|row| values[*row].is_finite()).collect();
        let known = rows.len();
        Error::check(known >= FEW, "the rows with a value", "at least 50", known)?;
        rows.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let failures = rows.partition_point(|row| values[*row] <= 0.0);
        let total = ln_sum_exp(ln_w);
        let mut below = f64::NEG_INFINITY;
        let (mut thresholds, mut ln_p) = (Vec::new(), Vec::<f64>::new());
        for (i, row) in rows.iter().enumerate() {
            below = ln_add_exp(below, ln_w[*row]);
            let value = values[*row];
            let tied = rows.get(i + 1).is_some_and(|next| values[*next] <= value);
            let ln = (below - total).min(0.0);
            let far = ln_p.last().is_none_or(|before| ln >= before + SPACING);
            if i + 1 >= failures.max(FEW) && far && !tied {
                thresholds.push(if i + 1 == failures { 0.0 } else { value });
                ln_p.push(ln);
            }
        }
        let largest = rows.last().map_or(0.0, |row| values[*row]);
        match (thresholds.last(), ln_p.last_mut()) {
            (Some(threshold), Some(ln)) if *threshold >= largest => *ln = 0.0,
            _ => {
                thresholds.push(largest);
                ln_p.push(0.0);
            }
        }
        Ok(Self { thresholds, ln_p })
    }

    /// Logarithm of the probability of a value up to `value`; at least that of the lowest knot. NaN counts as infinity.
    pub fn ln_p(&self, value: f64) -> f64 {
        let above =
            self.thresholds.partition_point(|threshold| value.is_nan() || *threshold <= value);
        match (above.checked_sub(1), self.thresholds.get(above)) {
            (None, _) => self.ln_p.first().copied().unwrap_or(0.0),
            (Some(_), None) => 0.0,
            (Some(i), Some(next)) => {
                let share = (value - self.thresholds[i]) / (next - self.thresholds[i]);
                self.ln_p[i] + share * (self.ln_p[above] - self.ln_p[i])
            }
        }
    }

    /// The smallest value with a probability whose logarithm is `ln_p`; the lowest knot for a smaller one.
    pub fn quantile(&self, ln_p: f64) -> f64 {
        let above = self.ln_p.partition_point(|ln| *ln < ln_p);
        match (above.checked_sub(1), self.ln_p.get(above)) {
            (None, _) => self.thresholds.first().copied().unwrap_or(0.0),
            (Some(i), None) => self.thresholds[i],
            (Some(i), Some(next)) => {
                let share = (ln_p - self.ln_p[i]) / (next - self.ln_p[i]);
                self.thresholds[i] + share * (self.thresholds[above] - self.thresholds[i])
            }
        }
    }
}

/// The tilt $\omega$ of (1) as a function of the scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tilt {
    nominal_share: f64,
    scores: Vec<ScoreDistribution>,
    /// Logarithms of the means of $1 / F_j$.
    ln_means: Vec<f64>,
}

impl Tilt {
    /// The tilt from scores `values: [k, n]` of rows with log-weights `ln_w: [n]`; `nominal_share` is $\alpha$.
    ///
    /// # Errors
    /// [`Error::Setting`] when `nominal_share` is not in (0, 1], there is no score, the numbers of rows differ, or
    /// fewer than 50 rows have a value.
    pub fn of(
        values: DMatrixView<'_, f64>,
        ln_w: &[f64],
        nominal_share: f64,
    ) -> Result<Self, Error> {
        let share = nominal_share > 0.0 && nominal_share <= 1.0;
        Error::check(share, "nominal_share", "in (0, 1]", nominal_share)?;
        Error::check(values.nrows() >= 1, "the number of scores", "at least 1", 0)?;
        let (mut scores, mut ln_means) = (Vec::new(), Vec::new());
        for row in values.row_iter() {
            let values: Vec<f64> = row.iter().copied().collect();
            let score = ScoreDistribution::of(&values, ln_w)?;
            let terms = values.iter().zip(ln_w).map(|(value, ln_w)| ln_w - score.ln_p(*value));
            ln_means.push(ln_sum_exp(&terms.collect::<Vec<_>>()) - ln_sum_exp(ln_w));
            scores.push(score);
        }
        Ok(Self { nominal_share, scores, ln_means })
    }

    /// The distribution functions of the scores, `[k]`.
    pub fn distributions(&self) -> &[ScoreDistribution] {
        &self.scores
    }

    /// $\ln \omega$ of rows with these scores.
    ///
    /// # Shapes
    /// - `values`: `[k, n]`; returns `[n]`
    ///
    /// # Errors
    /// [`EvalError::Dimension`] for another number of scores.
    pub fn ln_omega(&self, values: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        EvalError::check_dim(self.scores.len(), values.nrows())?;
        let column = |column: nalgebra::DVectorView<'_, f64>| {
            self.ln_mixed(column.iter().zip(&self.scores).map(|(value, score)| score.ln_p(*value)))
        };
        Ok(DVector::from_iterator(values.ncols(), values.column_iter().map(column)))
    }

    /// $\ln \omega$ far from failure, its lower bound.
    pub fn ln_least(&self) -> f64 {
        self.ln_mixed(self.scores.iter().map(|_| 0.0))
    }

    fn ln_mixed(&self, ln_p: impl Iterator<Item = f64>) -> f64 {
        let terms: f64 = ln_p.zip(&self.ln_means).map(|(ln_p, mean)| (-ln_p - mean).exp()).sum();
        let share = self.nominal_share;
        (share + (1.0 - share) * terms / self.scores.len() as f64).ln()
    }
}

/// The density $\varphi(u) Z / \omega(u)$ of (2) on the latent space of a flow that learnt a tilted distribution.
#[derive(Clone, Copy)]
pub struct Tilted<'a> {
    scores: &'a dyn LimitState,
    tilt: &'a Tilt,
    ln_z: f64,
}

impl std::fmt::Debug for Tilted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tilted").field("tilt", self.tilt).finish_non_exhaustive()
    }
}

impl<'a> Tilted<'a> {
    /// The density with the scores as the modes of `scores`, a limit state on latent space, and `ln_z` $= \ln Z$, for
    /// example minus the logarithm of [`mass`](Self::mass).
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when `scores` has another number of modes than `tilt` has scores.
    pub fn new(scores: &'a dyn LimitState, tilt: &'a Tilt, ln_z: f64) -> Result<Self, EvalError> {
        EvalError::check_dim(tilt.scores.len(), scores.modes())?;
        Ok(Self { scores, tilt, ln_z })
    }

    /// $\mathrm E_r[1 / \omega]$ from `n` draws of the flow: $1 / Z$, and one if the flow has learnt its density.
    ///
    /// # Errors
    /// [`EvalError`] when the scores cannot be evaluated.
    pub fn mass(
        scores: &'a dyn LimitState,
        tilt: &'a Tilt,
        n: usize,
        seed: u64,
    ) -> Result<f64, EvalError> {
        let plain = Self::new(scores, tilt, 0.0)?;
        let u = StandardNormal::new(scores.dim()).sample(n, seed)?;
        Ok(plain.ln_ratio(u.as_view())?.map(f64::exp).mean())
    }

    /// $\ln (Z / \omega(u))$: the logarithm of the weight of a draw of the flow.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`; returns `[n]`
    ///
    /// # Errors
    /// [`EvalError`] when the scores cannot be evaluated.
    pub fn ln_ratio(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let values = self.scores.evaluate_modes(u)?;
        let ln_omega = self.tilt.ln_omega(values.as_view())?;
        Ok(ln_omega.map(|ln| self.ln_z - ln))
    }
}

impl Density for Tilted<'_> {
    fn dim(&self) -> usize {
        self.scores.dim()
    }

    fn ln_pdf(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        Ok(StandardNormal::new(self.dim()).ln_pdf(u)? + self.ln_ratio(u)?)
    }

    /// Draws by rejection: $1 / \omega$ has an upper bound, and of the draws of the flow a share of at least $\alpha$
    /// is accepted where the flow has learnt its density.
    fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, EvalError> {
        let d = self.dim();
        let most = self.ln_z - self.tilt.ln_least();
        let (mut flat, mut fruitless) = (Vec::with_capacity(n * d), 0);
        for batch in 0.. {
            if flat.len() >= n * d {
                break;
            }
            let u = rng::standard_normal(d, BATCH, rng::derive(seed, "batch", batch));
            let mut random = rng::stream(rng::derive(seed, "accept", batch), 0);
            let before = flat.len();
            for (u, ln_ratio) in u.column_iter().zip(self.ln_ratio(u.as_view())?.iter()) {
                if random.random::<f64>().ln() <= ln_ratio - most {
                    flat.extend(u.iter());
                }
            }
            fruitless = if flat.len() == before { fruitless + 1 } else { 0 };
            if fruitless == PATIENCE {
                return Err(EvalError::failed("the flow draws nothing where the density is"));
            }
        }
        flat.truncate(n * d);
        Ok(DMatrix::from_vec(d, n, flat))
    }
}

/// The $z$ with $\log \Phi(z) = l$.
fn normal_quantile(ln_p: f64) -> f64 {
    if ln_p <= -LN_2 { inverse_ln_cdf(ln_p) } else { -inverse_ln_cdf((-ln_p.exp()).ln_1p()) }
}

/// An event under a [`Tilted`] density, as one under the standard normal density with one coordinate more, for
/// estimators that work in standard normal space alone.
///
/// With $v \sim \mathcal N(0, 1)$ and $\omega_0$ the lower bound of $\omega$,
///
/// $$ P = \frac{Z}{\omega_0} P\Bigl[g(u) \le 0, \enspace \Phi(v) \le \frac{\omega_0}{\omega(u)}\Bigr]. \tag{3} $$
#[derive(Clone, Copy)]
pub struct TiltedLimitState<'a> {
    g: &'a dyn LimitState,
    density: &'a Tilted<'a>,
}

impl std::fmt::Debug for TiltedLimitState<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TiltedLimitState").field("density", self.density).finish_non_exhaustive()
    }
}

impl<'a> TiltedLimitState<'a> {
    /// The event `g`, a limit state on latent space, under `density`.
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when the dimensions differ.
    pub fn new(g: &'a dyn LimitState, density: &'a Tilted<'a>) -> Result<Self, EvalError> {
        EvalError::check_dim(density.dim(), g.dim())?;
        Ok(Self { g, density })
    }

    /// $\ln (Z / \omega_0)$: what to add to the logarithm of the probability of this limit state for that of the event.
    pub fn ln_factor(&self) -> f64 {
        self.density.ln_z - self.density.tilt.ln_least()
    }
}

impl LimitState for TiltedLimitState<'_> {
    fn dim(&self) -> usize {
        self.g.dim() + 1
    }

    fn evaluate(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        EvalError::check_dim(self.dim(), u.nrows())?;
        let latent = u.rows(0, self.g.dim()).clone_owned();
        let values = self.g.evaluate(latent.as_view())?;
        let ln_ratio = self.density.ln_ratio(latent.as_view())?;
        let value = |(j, g): (usize, &f64)| {
            let ln_p = ln_ratio[j] - self.ln_factor();
            // NaN stays NaN.
            if g.is_nan() { *g } else { g.max(u[(latent.nrows(), j)] - normal_quantile(ln_p)) }
        };
        Ok(DVector::from_iterator(values.len(), values.iter().enumerate().map(value)))
    }
}
