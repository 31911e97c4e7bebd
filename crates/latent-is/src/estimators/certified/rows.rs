//! Fresh rows of several groups, weighted by the balance heuristic.
//!
//! Group $j$ has $n_j$ independent draws from $q_j$, the nominal draws are group 0. Every failing row of any group
//! counts
//!
//! $$ h(u) = \frac{p(u)}{\sum_k n_k q_k(u)}, \qquad \hat P = \sum_{\text{failing rows}} h(u), $$
//!
//! which is unbiased for fixed $q_k$ and $n_k$ (Veach and Guibas 1995). The groups are strata, so that the
//! variance is the sum of those of their own sums.

use nalgebra::{DMatrix, DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::error::EvalError;
use crate::estimators::certified::subspace::Subspace;
use crate::math::special::ln_sum_exp;
use crate::result::estimate::{Estimate, ModeRecord, Tally, WeightedSample};

/// Rows that fail or whose value is NaN, of all groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rows {
    /// The failing rows, one after the other.
    failing: Vec<f64>,
    /// The group of each.
    groups: Vec<usize>,
    /// The modes in which each fails.
    modes: Vec<Vec<usize>>,
    nan: Vec<f64>,
    /// Rows of each group, failing or not.
    pub(super) counts: Vec<u64>,
}

impl Rows {
    /// Adds rows `u: [d, n]` of group `group` with the values of all modes, `[k, n]`.
    pub(super) fn add(
        &mut self,
        group: usize,
        u: DMatrixView<'_, f64>,
        values: DMatrixView<'_, f64>,
    ) {
        if self.counts.len() <= group {
            self.counts.resize(group + 1, 0);
        }
        self.counts[group] += u.ncols() as u64;
        for (row, values) in u.column_iter().zip(values.column_iter()) {
            let modes: Vec<usize> = (0..values.len()).filter(|k| values[*k] <= 0.0).collect();
            if !modes.is_empty() {
                self.failing.extend(row.iter());
                self.modes.push(modes);
                self.groups.push(group);
            } else if values.iter().any(|value| value.is_nan()) {
                self.nan.extend(row.iter());
            }
        }
    }

    /// Rows of all groups.
    pub(super) fn len(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Logarithms of $p / \bar q$ with $\bar q = \sum_k n_k q_k / n$.
    fn ln_weights(&self, u: &DMatrix<f64>, proposals: &[&Subspace]) -> Result<Vec<f64>, EvalError> {
        let n = self.len() as f64;
        let mut terms = vec![vec![(self.counts[0] as f64 / n).ln(); u.ncols()]];
        for (proposal, count) in proposals.iter().zip(&self.counts[1..]) {
            let share = (*count as f64 / n).ln();
            terms.push(proposal.ln_ratio(u.as_view())?.iter().map(|r| r + share).collect());
        }
        let weight = |i: usize| -ln_sum_exp(&terms.iter().map(|term| term[i]).collect::<Vec<_>>());
        Ok((0..u.ncols()).map(weight).collect())
    }

    /// The estimate from all rows.
    pub(super) fn estimate(
        &self,
        dim: usize,
        proposals: &[&Subspace],
    ) -> Result<Estimate, EvalError> {
        let rows = |flat: &[f64]| DMatrix::from_column_slice(dim, flat.len() / dim, flat);
        let (points, nan) = (rows(&self.failing), rows(&self.nan));
        let ln_w = self.ln_weights(&points, proposals)?;
        let cov = self.cov(&ln_w, |_| true);
        let nan_as_failing = if nan.ncols() > 0 {
            let all = [ln_w.clone(), self.ln_weights(&nan, proposals)?].concat();
            Some(Tally::new(&all, self.len()))
        } else {
            None
        };
        let sample = WeightedSample { points, ln_w: DVector::from_vec(ln_w) };
        let mut estimate = Estimate::from_draws(sample, self.len());
        estimate.cov = cov;
        estimate.counts.nan_evaluations = nan.ncols() as u64;
        estimate.nan_as_failing = nan_as_failing;
        Ok(estimate)
    }

    /// The parts of `k` modes in the estimate with the weights `ln_w`.
    pub(super) fn modes(&self, ln_w: &[f64], k: usize) -> Vec<ModeRecord> {
        let record = |mode: usize| {
            let fails = |row: usize| self.modes[row].contains(&mode);
            let own: Vec<f64> = (0..ln_w.len()).filter(|i| fails(*i)).map(|i| ln_w[i]).collect();
            ModeRecord {
                ln_pf: ln_sum_exp(&own) - (self.len() as f64).ln(),
                cov: self.cov(ln_w, fails),
                ln_pf_search: None,
            }
        };
        (0..k).map(record).collect()
    }

    /// The coefficient of variation of the sum of the weights of the failing rows that `counts`, by groups.
    fn cov(&self, ln_w: &[f64], counts: impl Fn(usize) -> bool) -> f64 {
        let rows: Vec<usize> = (0..ln_w.len()).filter(|i| counts(*i)).collect();
        let scale = ln_sum_exp(&rows.iter().map(|i| ln_w[*i]).collect::<Vec<_>>());
        let (mut sums, mut squares) = (vec![0.0; self.counts.len()], vec![0.0; self.counts.len()]);
        for row in &rows {
            let (h, group) = ((ln_w[*row] - scale).exp(), self.groups[*row]);
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
