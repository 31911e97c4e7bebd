//! The page of an estimate of a model.

use latent_is::{Estimate, scientific};
use maud::{Markup, html};

use crate::{
    models::words,
    output::number::number,
    report::{
        html::{
            page::{made_by, page, pairs, picture},
            parts::{clouds, levels, numbers, two_largest},
        },
        model_estimate::{CAVEAT, ModelEstimateRecord, RecordedFailure},
    },
};

/// Number of failures in the table.
const LISTED: usize = 10;
/// Most inputs and outputs in the table.
const COLUMNS: usize = 12;

/// The page of an estimate of a model.
///
/// # Errors
/// When a figure cannot be drawn. The record has passed the checks of
/// [`ReportInput`](crate::report::input::ReportInput).
pub fn page_of_model_estimate(record: &ModelEstimateRecord) -> anyhow::Result<String> {
    let title = format!("Failure probability of {}", record.name);
    page_with(record, &title, &html! {})
}

/// The same with another title and with `more` after the numbers.
pub(super) fn page_with(
    record: &ModelEstimateRecord,
    title: &str,
    more: &Markup,
) -> anyhow::Result<String> {
    let estimate = &record.estimate;
    let status = format!("{:?}", record.verdict.status).to_lowercase();
    let mut figures = Vec::new();
    if !record.failures.is_empty() {
        figures.push(("failures", failures(record)?));
    }
    if !estimate.levels().is_empty() {
        figures.push(("levels of the search", levels(estimate)?));
    }
    let interval = &record.interval;
    let ends = [interval.ln_lower, interval.ln_upper].map(|ln| scientific(ln, 4));
    let numbers = numbers(estimate, vec![("95 % interval", ends.join(" to "))]);
    let settings = [
        ("method", record.method.to_string()),
        ("seed", record.seed.to_string()),
        ("target of the coefficient of variation", record.target_cov.to_string()),
        ("largest number of evaluations", record.budget.to_string()),
        ("evaluations looked up in the store", record.looked_up.to_string()),
    ];
    Ok(page(
        title,
        &html! {
            p.verdict.(status) { strong { (status) ". " } (record.sentence) }
            (pairs(numbers.into_iter()))
            p { (CAVEAT) }
            @if !record.without_an_outcome.is_empty() {
                h2 { "Samples without an outcome" }
                (pairs(record.without_an_outcome.iter().map(|missing| {
                    (words::kind(missing.kind), format!("{}, the first: {}", missing.count, missing.message))
                })))
                @if let Some(missing) = record.missing_as_failures {
                    p {
                        "With these as failures the probability is " (scientific(missing.probability.ln(), 4))
                        " (95 % interval " (scientific(missing.interval.ln_lower, 4)) " to "
                        (scientific(missing.interval.ln_upper, 4)) "), by a search of its own with "
                        (missing.evaluations) " evaluations. The interval of the failure probability reaches up to there."
                    }
                }
            }
            @if !estimate.modes.is_empty() { h2 { "Regions of the criterion" } (regions(estimate)) }
            (more)
            h2 { "Criterion" }
            pre { (record.criterion) }
            h2 { "The most likely failures" }
            (listed(record))
            h2 { "Figures" }
            @for (name, svg) in &figures { (picture(svg.as_bytes(), name)) }
            h2 { "Model" }
            pre { (record.model) }
            h2 { "Settings" }
            (pairs(settings.into_iter()))
            (made_by(&record.version))
        },
    ))
}

/// The regions of the criterion with their probabilities.
fn regions(estimate: &Estimate) -> Markup {
    let shown =
        |ln_pf: Option<f64>| ln_pf.map_or_else(|| "none".to_owned(), |ln| scientific(ln, 4));
    html! {
        table {
            thead { tr {
                th.n { "region" } th.n { "probability" } th.n { "coefficient of variation" } th.n { "by its search" }
            } }
            tbody { @for (index, mode) in estimate.modes.iter().enumerate() { tr {
                td.n { (index + 1) }
                td.n { (shown(mode.ln_pf.is_finite().then_some(mode.ln_pf))) }
                td.n { @if mode.cov.is_finite() { (format!("{:.1} %", 100.0 * mode.cov)) } }
                td.n { (shown(mode.ln_pf_search)) }
            } } }
        }
    }
}

/// The most likely failures, with all that is needed to run them again.
fn listed(record: &ModelEstimateRecord) -> Markup {
    let names = record.inputs.iter().take(COLUMNS).chain(record.outputs.iter().take(COLUMNS));
    let values = |failure: &RecordedFailure| {
        let inputs = failure.inputs.iter().take(COLUMNS).map(|value| Some(*value));
        let outputs = failure.outputs.iter().take(COLUMNS).copied();
        let shown = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), number);
        inputs.chain(outputs).map(shown).collect::<Vec<_>>()
    };
    html! {
        @if record.failures.is_empty() {
            p { "No failure was drawn." }
        } @else {
            p { "Most likely first: the smallest distance from the median of all inputs, in standard normal space. "
                (shown_columns(record)) "; " code { "estimate --samples" } " writes all digits for " code { "replay" } "." }
            div.wide { table {
                thead { tr {
                    th.n { "from the median" }
                    @for name in names { th.n { (name) } }
                    th.n { "seed" }
                } }
                tbody { @for failure in record.failures.iter().take(LISTED) { tr {
                    td.n { (format!("{:.2}", failure.distance)) }
                    @for value in values(failure) { td.n { (value) } }
                    td.n { (failure.seed) }
                } } }
            } }
        }
    }
}

/// Whether there are at most two different values.
fn two_values(values: impl Iterator<Item = f64>) -> bool {
    let mut seen: Vec<f64> = Vec::new();
    for value in values {
        if !seen.iter().any(|other| other.total_cmp(&value).is_eq()) {
            seen.push(value);
        }
        if seen.len() > 2 {
            return false;
        }
    }
    true
}

/// Which inputs and outputs are shown.
fn shown_columns(record: &ModelEstimateRecord) -> String {
    let part = |n: usize, name: &str| match n {
        n if n > COLUMNS => format!("{COLUMNS} of {n} {name}"),
        _ => name.to_owned(),
    };
    let [inputs, outputs] = [(record.inputs.len(), "inputs"), (record.outputs.len(), "outputs")]
        .map(|(n, name)| part(n, name));
    format!("The columns are {inputs}, then {outputs}")
}

/// Draws of the inputs and the failures found, in the two inputs that differ most between them.
fn failures(record: &ModelEstimateRecord) -> anyhow::Result<String> {
    let moments = |rows: &mut dyn Iterator<Item = f64>| {
        let values: Vec<f64> = rows.collect();
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
    };
    let far = |i: usize| {
        let (mean, sd) = moments(&mut record.draws.iter().map(|w| w[i]));
        let (failing, _) = moments(&mut record.failures.iter().map(|f| f.inputs[i]));
        // An input that does not vary is not looked at, one of two values makes no picture.
        if two_values(record.draws.iter().map(|w| w[i])) {
            -0.5
        } else if sd > 0.0 {
            ((failing - mean) / sd).abs()
        } else {
            -1.0
        }
    };
    let [i, j] = two_largest(record.inputs.len(), far);
    clouds(
        "draws of the inputs and failures found",
        [&record.inputs[i], &record.inputs[j]],
        record.draws.iter().map(|w| (w[i], w[j])).collect(),
        record.failures.iter().map(|f| (f.inputs[i], f.inputs[j])).collect(),
    )
}
