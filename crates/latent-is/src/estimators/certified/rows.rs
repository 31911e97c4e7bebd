//! The rows that fail or whose value is NaN, of all groups.

use nalgebra::{DMatrix, DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::error::EvalError;
use crate::estimators::certified::groups::{Groups, ln_weights};
use crate::estimators::certified::subspace::Subspace;
use crate::math::special::ln_sum_exp;
use crate::result::estimate::{Estimate, ModeRecord, WeightedSample};

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

    /// The estimate from all rows.
    pub(super) fn estimate(
        &self,
        dim: usize,
        proposals: &[&Subspace],
    ) -> Result<Estimate, EvalError> {
        let rows = |flat: &[f64]| DMatrix::from_column_slice(dim, flat.len() / dim, flat);
        let (points, nan) = (rows(&self.failing), rows(&self.nan));
        let ln_w = ln_weights(&points, proposals, &self.counts)?;
        let nan = ln_weights(&nan, proposals, &self.counts)?;
        let sample = WeightedSample { points, ln_w: DVector::from_vec(ln_w) };
        Ok(Groups { of: &self.groups, counts: &self.counts }.estimate(sample, &nan))
    }

    /// The parts of `k` modes in the estimate with the weights `ln_w`.
    pub(super) fn modes(&self, ln_w: &[f64], k: usize) -> Vec<ModeRecord> {
        let groups = Groups { of: &self.groups, counts: &self.counts };
        let record = |mode: usize| {
            let fails = |row: usize| self.modes[row].contains(&mode);
            let own: Vec<f64> = (0..ln_w.len()).filter(|i| fails(*i)).map(|i| ln_w[i]).collect();
            ModeRecord {
                ln_pf: ln_sum_exp(&own) - (self.len() as f64).ln(),
                cov: groups.cov(ln_w, fails),
                ln_pf_search: None,
            }
        };
        (0..k).map(record).collect()
    }
}
