//! One line per method: the mean ratio and how often its verdicts were right.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::zoo::cells::{Confusion, Row};

/// A method with a smaller work-normalised variance solves the problem exactly, for example directional
/// sampling a sphere. If our method or the peer does, the ratio is left out of the mean.
pub(super) const EXACT: f64 = 1e-6;

/// One method on all its problems.
#[derive(Serialize)]
pub(super) struct Total {
    pub(super) method: String,
    pub(super) problems: usize,
    /// Geometric mean of the ratios, without problems that our method or the peer solves exactly.
    pub(super) ratio: f64,
    pub(super) confusion: Confusion,
    pub(super) coverage: f64,
    pub(super) hidden: f64,
}

/// Summarises the rows by method.
pub(super) fn totals(rows: &[Row]) -> Vec<Total> {
    let mut methods: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        methods.entry(&row.method).or_default().push(row);
    }
    let each = |(method, rows): (&str, Vec<&Row>)| {
        let inexact = rows.iter().filter(|r| r.peer_wnv.min(r.summary.wnv) > EXACT);
        let logs: Vec<f64> = inexact.map(|r| r.ratio.ln()).collect();
        let mean = |f: &dyn Fn(&Row) -> f64| {
            rows.iter().map(|row| f(row)).sum::<f64>() / rows.len() as f64
        };
        let sum =
            |f: &dyn Fn(&Confusion) -> u64| rows.iter().map(|r| f(&r.summary.confusion)).sum();
        Total {
            method: method.to_owned(),
            problems: rows.len(),
            ratio: (logs.iter().sum::<f64>() / logs.len() as f64).exp(),
            confusion: Confusion {
                good_converged: sum(&|c| c.good_converged),
                good_other: sum(&|c| c.good_other),
                off_converged: sum(&|c| c.off_converged),
                off_other: sum(&|c| c.off_other),
            },
            coverage: mean(&|row| row.summary.coverage),
            hidden: mean(&|row| row.summary.hidden),
        }
    };
    methods.into_iter().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::cells::Summary;

    #[test]
    fn ratios_are_averaged_as_logarithms_without_exact_solutions() {
        let row = |wnv: f64, peer_wnv: f64| Row {
            method: "ce".to_owned(),
            problem: String::new(),
            dim: 2,
            seconds: 0.0,
            summary: Summary {
                runs: 1,
                bias: 0.0,
                abs_error: 0.0,
                cov: 0.0,
                rmse: 0.0,
                evaluations: 1.0,
                wnv,
                coverage: 0.5,
                flagged: 0.0,
                hidden: 0.0,
                errors: 0,
                confusion: Confusion { good_converged: 1, ..Confusion::default() },
            },
            peer: String::new(),
            peer_wnv,
            ratio: wnv / peer_wnv,
        };
        let totals = totals(&[row(4.0, 1.0), row(0.5, 2.0), row(1e3, 1e-26), row(1e-23, 43.0)]);
        assert!((totals[0].ratio - 1.0).abs() < 1e-12);
        assert_eq!((totals[0].problems, totals[0].confusion.good_converged), (4, 4));
    }
}
