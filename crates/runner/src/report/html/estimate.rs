//! The page of an estimate.

use maud::html;

use crate::{
    estimation::agreement::Agreement,
    report::{
        estimate::{CAVEAT, EstimateRecord, support_sentence},
        html::{
            page::{made_by, page, pairs, picture},
            parts::{clouds, levels, numbers, two_largest},
        },
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
        figures.push(("levels of the search", levels(estimate)?));
    }
    let numbers = numbers(estimate, record.intervals());
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
    let [i, j] = two_largest(record.features.len(), far);
    let part = |rows: &[Vec<f64>]| rows.iter().map(|x| (x[i], x[j])).collect();
    clouds(
        "draws from the flow and failures found",
        [&record.features[i], &record.features[j]],
        part(&record.draws),
        part(&record.failures),
    )
}
