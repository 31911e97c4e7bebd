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
//! density $\varphi(u) Z / \omega(T(u))$ ([`Tilted`](crate::Tilted)). Below failure $F_j$ is constant: all failures are alike.

use nalgebra::{DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::error::{Error, EvalError};
use crate::math::special::{ln_add_exp, ln_sum_exp};

/// Rows below the lowest knot of a distribution function, at least.
const FEW: usize = 50;
/// Distance of the knots in the logarithm of the probability.
const SPACING: f64 = 0.25;

/// The distribution function of a score, from weighted rows, down to failure: linear in the logarithm of the
/// probability between knots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Knots")]
pub struct ScoreDistribution {
    /// Values of the score, increasing.
    thresholds: Vec<f64>,
    /// Logarithms of the probability of a value up to each, increasing to 0.
    ln_p: Vec<f64>,
}

/// A distribution function as it is read, before it is checked.
#[derive(Deserialize)]
struct Knots {
    thresholds: Vec<f64>,
    ln_p: Vec<f64>,
}

impl TryFrom<Knots> for ScoreDistribution {
    type Error = &'static str;

    fn try_from(Knots { thresholds, ln_p }: Knots) -> Result<Self, &'static str> {
        let increasing = |list: &[f64]| list.windows(2).all(|pair| pair[0] < pair[1]);
        if thresholds.len() != ln_p.len() || ln_p.is_empty() {
            return Err("a score needs as many probabilities as thresholds, and at least one");
        }
        if !increasing(&thresholds) || !increasing(&ln_p) || ln_p[ln_p.len() - 1] > 0.0 {
            return Err(
                "thresholds and logarithms of probabilities of a score must be increasing, to at most 0",
            );
        }
        Ok(Self { thresholds, ln_p })
    }
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
            // Rows of no weight may be left.
            (Some(threshold), Some(ln)) if *threshold >= largest || *ln >= 0.0 => *ln = 0.0,
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
#[serde(try_from = "TiltParts")]
pub struct Tilt {
    nominal_share: f64,
    scores: Vec<ScoreDistribution>,
    /// Logarithms of the means of $1 / F_j$.
    ln_means: Vec<f64>,
}

/// A tilt as it is read, before it is checked.
#[derive(Deserialize)]
struct TiltParts {
    nominal_share: f64,
    scores: Vec<ScoreDistribution>,
    ln_means: Vec<f64>,
}

impl TryFrom<TiltParts> for Tilt {
    type Error = String;

    fn try_from(parts: TiltParts) -> Result<Self, String> {
        let TiltParts { nominal_share, scores, ln_means } = parts;
        check_share(nominal_share).map_err(|error| error.to_string())?;
        if scores.is_empty() || scores.len() != ln_means.len() {
            return Err("a tilt needs as many means as scores, and at least one".to_owned());
        }
        Ok(Self { nominal_share, scores, ln_means })
    }
}

fn check_share(nominal_share: f64) -> Result<(), Error> {
    let share = nominal_share > 0.0 && nominal_share <= 1.0;
    Error::check(share, "nominal_share", "in (0, 1]", nominal_share)
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
        check_share(nominal_share)?;
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
