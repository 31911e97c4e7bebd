//! Fresh rows of several groups, weighted by the balance heuristic.
//!
//! Group $j$ has $n_j$ independent draws from $q_j$, the nominal draws are group 0. Every failing row of any group
//! counts
//!
//! $$ h(u) = \frac{p(u)}{\sum_k n_k q_k(u)}, \qquad \hat P = \sum_{\text{failing rows}} h(u), $$
//!
//! which is unbiased for fixed $q_k$ and $n_k$ (Veach and Guibas 1995). The groups are strata, so that the
//! variance is the sum of those of their own sums.

use nalgebra::DMatrix;

use crate::error::EvalError;
use crate::estimators::certified::subspace::Subspace;
use crate::math::special::ln_sum_exp;
use crate::result::estimate::{Estimate, Tally, WeightedSample};

/// Logarithms of $p / \bar q$ with $\bar q = \sum_k n_k q_k / n$, of rows `u: [d, m]`; `counts` are the $n_k$.
pub(super) fn ln_weights(
    u: &DMatrix<f64>,
    proposals: &[&Subspace],
    counts: &[u64],
) -> Result<Vec<f64>, EvalError> {
    let n = counts.iter().sum::<u64>() as f64;
    let mut terms = vec![vec![(counts[0] as f64 / n).ln(); u.ncols()]];
    for (proposal, count) in proposals.iter().zip(&counts[1..]) {
        let share = (*count as f64 / n).ln();
        terms.push(proposal.ln_ratio(u.as_view())?.iter().map(|r| r + share).collect());
    }
    let weight = |i: usize| -ln_sum_exp(&terms.iter().map(|term| term[i]).collect::<Vec<_>>());
    Ok((0..u.ncols()).map(weight).collect())
}

/// The groups of failing rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Groups<'a> {
    /// The group of each failing row.
    pub(super) of: &'a [usize],
    /// Rows of each group, failing or not.
    pub(super) counts: &'a [u64],
}

impl Groups<'_> {
    /// The estimate from the failing rows and the log-weights of those whose value is NaN.
    pub(super) fn estimate(self, sample: WeightedSample, nan: &[f64]) -> Estimate {
        let n = self.counts.iter().sum();
        let cov = self.cov(sample.ln_w.as_slice(), |_| true);
        let nan_as_failing =
            (!nan.is_empty()).then(|| Tally::new(&[sample.ln_w.as_slice(), nan].concat(), n));
        let mut estimate = Estimate::from_draws(sample, n);
        estimate.cov = cov;
        estimate.counts.nan_evaluations = nan.len() as u64;
        estimate.nan_as_failing = nan_as_failing;
        estimate
    }

    /// The coefficient of variation of the sum of the weights of the failing rows that `counts`, by groups.
    pub(super) fn cov(self, ln_w: &[f64], counts: impl Fn(usize) -> bool) -> f64 {
        let rows: Vec<usize> = (0..ln_w.len()).filter(|i| counts(*i)).collect();
        let scale = ln_sum_exp(&rows.iter().map(|i| ln_w[*i]).collect::<Vec<_>>());
        let (mut sums, mut squares) = (vec![0.0; self.counts.len()], vec![0.0; self.counts.len()]);
        for row in &rows {
            let (h, group) = ((ln_w[*row] - scale).exp(), self.of[*row]);
            sums[group] += h;
            squares[group] += h * h;
        }
        let groups = self.counts.iter().zip(&sums).zip(&squares).filter(|((n, _), _)| **n > 1);
        let variance: f64 = groups
            .map(|((n, sum), square)| {
                let n = *n as f64;
                n / (n - 1.0) * (square - sum * sum / n)
            })
            .sum();
        if rows.is_empty() { f64::INFINITY } else { variance.max(0.0).sqrt() }
    }
}
