//! What the pages of estimates have in common.

use latent_is::{Estimate, scientific};

use crate::figures::chart::{Mark, Panel, Series, draw};

/// The numbers of an estimate with their names; `intervals` follow the probability.
pub(super) fn numbers<'a>(
    estimate: &Estimate,
    intervals: Vec<(&'a str, String)>,
) -> Vec<(&'a str, String)> {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let counts = &estimate.counts;
    let mut numbers = vec![("failure probability", scientific(estimate.ln_pf, 4))];
    numbers.extend(intervals);
    numbers.extend([
        ("coefficient of variation", percent(estimate.cov)),
        ("evaluations of the criterion", counts.evaluations.to_string()),
        ("NaN evaluations", counts.nan_evaluations.to_string()),
        ("failures drawn", format!("{} of {}", counts.failures, counts.draws)),
        ("effective sample size", format!("{:.0}", estimate.weights.ess)),
        ("largest share of one draw", percent(estimate.weights.max_share)),
    ]);
    if let Some(k) = estimate.weights.pareto_k {
        numbers.push(("Pareto k of the weights", format!("{k:.2}")));
    }
    if let Some(ln_pf) = estimate.search.as_ref().and_then(|search| search.ln_pf) {
        numbers.push(("estimate of the search", scientific(ln_pf, 3)));
    }
    numbers
}

/// The thresholds of the search over the number of evaluations.
pub(super) fn levels(estimate: &Estimate) -> anyhow::Result<String> {
    let mut evaluations = 0_u64;
    let points = estimate.levels().iter().map(|level| {
        evaluations = evaluations.saturating_add(level.evaluations);
        (evaluations as f64, level.threshold)
    });
    let panel = Panel {
        title: "levels of the search".to_owned(),
        x_label: "evaluations".to_owned(),
        y_label: "threshold".to_owned(),
        series: vec![Series::new("threshold", Mark::Line, points.collect())],
    };
    draw(&[panel], 1)
}

/// Draws, with failures before them, in two coordinates with these names.
pub(super) fn clouds(
    title: &str,
    [x, y]: [&str; 2],
    draws: Vec<(f64, f64)>,
    failures: Vec<(f64, f64)>,
) -> anyhow::Result<String> {
    let panel = Panel {
        title: title.to_owned(),
        x_label: x.to_owned(),
        y_label: y.to_owned(),
        series: vec![
            Series::new("draws", Mark::Dots, draws).behind(),
            Series::new("failures", Mark::Dots, failures),
        ],
    };
    draw(&[panel], 1)
}

/// The two of `n` coordinates with the largest `size`; the same one twice if there is no other.
pub(super) fn two_largest(n: usize, size: impl Fn(usize) -> f64) -> [usize; 2] {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| size(*b).total_cmp(&size(*a)));
    [order[0], *order.get(1).unwrap_or(&order[0])]
}
