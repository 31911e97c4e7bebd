//! The page of an estimate.

use latent_is::scientific;
use maud::html;

use crate::{
    estimation::agreement::Agreement,
    figures::chart::{Mark, Panel, Series, draw},
    report::{
        estimate::{CAVEAT, EstimateRecord, support_sentence},
        html::page::{made_by, page, pairs, picture},
    },
};

/// The page of an estimate.
///
/// # Errors
/// When a figure cannot be drawn. The record has passed the checks of
/// [`ReportInput`](crate::report::input::ReportInput).
pub fn page_of_estimate(record: &EstimateRecord) -> anyhow::Result<String> {
    let estimate = &record.estimate;
    let status = format!("{:?}", record.verdict.status).to_lowercase();
    let mut figures = vec![("failures", failures(record)?)];
    if !estimate.levels().is_empty() {
        figures.push(("levels of the search", levels(record)?));
    }
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let mut numbers = vec![
        ("failure probability", scientific(estimate.ln_pf, 4)),
        ("coefficient of variation", percent(estimate.cov)),
        ("evaluations of the criterion", estimate.counts.evaluations.to_string()),
        ("NaN evaluations", estimate.counts.nan_evaluations.to_string()),
        ("failures drawn", format!("{} of {}", estimate.counts.failures, estimate.counts.draws)),
        ("effective sample size", format!("{:.0}", estimate.weights.ess)),
        ("largest share of one draw", percent(estimate.weights.max_share)),
    ];
    numbers.splice(1..1, record.intervals());
    if let Some(k) = estimate.weights.pareto_k {
        numbers.push(("Pareto k of the weights", format!("{k:.2}")));
    }
    if let Some(ln_pf) = estimate.search.as_ref().and_then(|search| search.ln_pf) {
        numbers.push(("estimate of the search", scientific(ln_pf, 3)));
    }
    let settings = [
        ("flow", record.flow.clone()),
        ("method", record.method.to_string()),
        ("space", record.space.to_string()),
        ("seed", record.seed.to_string()),
        ("target of the coefficient of variation", record.target_cov.to_string()),
        ("largest number of evaluations", record.budget.to_string()),
    ];
    Ok(page(
        "Probability of a failure criterion",
        &html! {
            p.verdict.(status) { strong { (status) ". " } (record.sentence) }
            (pairs(numbers.into_iter()))
            p { (CAVEAT) }
            @if let Some(agreement) = &record.agreement {
                h2 { "Comparison of flow and data" }
                table {
                    thead { tr { @for cell in Agreement::HEAD { th.n { (cell) } } } }
                    tbody { @for row in agreement.rows() { tr {
                        @for cell in row { td.n { (cell) } }
                    } } }
                }
                p { (agreement.sentence()) }
                @if let Some(support) = &record.support { p { (support_sentence(support)) } }
            }
            h2 { "Criterion" }
            pre { (record.criterion) }
            h2 { "Figures" }
            @for (name, svg) in &figures { (picture(svg.as_bytes(), name)) }
            h2 { "Settings" }
            (pairs(settings.into_iter()))
            h2 { "Provenance of the flow" }
            (pairs(record.provenance.iter().map(|(k, v)| (k.as_str(), v.clone()))))
            (made_by(&record.version))
        },
    ))
}

/// Draws from the flow and the failures found, in the two features in which the failures are farthest
/// from the mean.
fn failures(record: &EstimateRecord) -> anyhow::Result<String> {
    let far = |i: usize| {
        let n = record.failures.len().max(1) as f64;
        let mean = record.failures.iter().map(|x| x[i]).sum::<f64>() / n;
        ((mean - record.mean[i]) / record.sd[i]).abs()
    };
    let mut order: Vec<usize> = (0..record.features.len()).collect();
    order.sort_by(|a, b| far(*b).total_cmp(&far(*a)));
    let (i, j) = (order[0], *order.get(1).unwrap_or(&order[0]));
    let cloud = |name: &str, rows: &[Vec<f64>]| {
        Series::new(name, Mark::Dots, rows.iter().map(|x| (x[i], x[j])).collect())
    };
    let panel = Panel {
        title: "draws from the flow and failures found".to_owned(),
        x_label: record.features[i].clone(),
        y_label: record.features[j].clone(),
        series: vec![cloud("draws", &record.draws).behind(), cloud("failures", &record.failures)],
    };
    draw(&[panel], 1)
}

/// The thresholds of the search over the number of evaluations.
fn levels(record: &EstimateRecord) -> anyhow::Result<String> {
    let mut evaluations = 0_u64;
    let points = record.estimate.levels().iter().map(|level| {
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
