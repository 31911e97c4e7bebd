//! One page of HTML with everything in it: numbers, settings, pictures, versions.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Table, evaluation as evaluation_table, flow, settings};
use crate::{
    agreement::Agreement,
    commands::estimate::{CAVEAT, Report},
    figures::{self, Mark, Panel, Series},
    reproduce::Results,
};

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;\
    padding:0 1rem;color:#222}table{border-collapse:collapse;font-size:13px;margin:1rem 0}\
    td,th{border-bottom:1px solid #ddd;padding:.25rem .6rem;text-align:left}\
    td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.wide{overflow-x:auto}\
    .verdict{padding:.6rem .9rem;border-left:5px solid #0072b2;background:#f3f6f9}\
    .suspect,.failed{border-color:#d55e00}.budget{border-color:#e69f00}\
    pre{background:#f6f6f6;padding:.8rem;overflow-x:auto}svg{max-width:100%;height:auto}";

/// The page of an evaluation; `samples` is the picture of its samples, where there is one.
///
/// # Errors
/// When a table or a figure cannot be made.
pub fn evaluation(results: &Results, samples: Option<&str>) -> anyhow::Result<String> {
    let settings = settings(results)?;
    let pictures = [figures::levels(results)?, figures::fidelity(results)?];
    let record = &results.flow_training;
    Ok(page(
        &format!("Evaluation of {}", results.system),
        &html! {
            (table(&evaluation_table(results)))
            (table(&flow(results)))
            @if let Some(svg) = samples {
                h2 { "Samples" }
                (picture(svg))
            }
            h2 { "Levels, coverage and density" }
            @for svg in &pictures { (picture(svg)) }
            (table(&settings))
            h2 { "Provenance" }
            (pairs(record.provenance.iter().map(|(k, v)| (k.as_str(), v.clone()))))
            (made_by(&results.version))
        },
    ))
}

/// The page of an estimate.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn estimate(report: &Report) -> anyhow::Result<String> {
    let estimate = &report.estimate;
    let status = format!("{:?}", report.verdict.status).to_lowercase();
    let mut figures = vec![failures(report)?];
    if !estimate.levels().is_empty() {
        figures.push(levels(report)?);
    }
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let mut numbers = vec![
        ("failure probability", format!("{:.4e}", report.probability)),
        (
            "95 % interval",
            format!("{:.4e} to {:.4e}", report.interval.lower(), report.interval.upper()),
        ),
        ("coefficient of variation", percent(estimate.cov)),
        ("evaluations of the criterion", estimate.counts.evaluations.to_string()),
        ("evaluations without an answer", estimate.counts.nan_evaluations.to_string()),
        ("failures drawn", format!("{} of {}", estimate.counts.failures, estimate.counts.draws)),
        ("effective sample size", format!("{:.0}", estimate.weights.ess)),
        ("largest share of one draw", percent(estimate.weights.max_share)),
    ];
    if let Some(k) = estimate.weights.pareto_k {
        numbers.push(("Pareto k of the weights", format!("{k:.2}")));
    }
    if let Some(ln_pf) = estimate.search.as_ref().and_then(|search| search.ln_pf) {
        numbers.push(("the search's own estimate", format!("{:.3e}", ln_pf.exp())));
    }
    let settings = [
        ("flow", report.flow.clone()),
        ("method", report.method.to_string()),
        ("space", report.space.to_string()),
        ("seed", report.seed.to_string()),
        ("target of the coefficient of variation", report.target_cov.to_string()),
        ("budget of evaluations", report.budget.to_string()),
    ];
    Ok(page(
        "Probability of a failure criterion",
        &html! {
            p.verdict.(status) { strong { (status) ". " } (report.sentence) }
            (pairs(numbers.into_iter()))
            p { (CAVEAT) }
            @if let Some(agreement) = &report.agreement {
                h2 { "Flow and outcomes on the way to failure" }
                table {
                    thead { tr { @for cell in Agreement::HEAD { th.n { (cell) } } } }
                    tbody { @for row in agreement.rows() { tr {
                        @for cell in row { td.n { (cell) } }
                    } } }
                }
                p { (agreement.sentence()) }
            }
            h2 { "Criterion" }
            pre { (report.criterion) }
            h2 { "Pictures" }
            @for svg in &figures { (picture(svg)) }
            h2 { "Settings" }
            (pairs(settings.into_iter()))
            h2 { "Provenance of the flow" }
            (pairs(report.provenance.iter().map(|(k, v)| (k.as_str(), v.clone()))))
            (made_by(&report.version))
        },
    ))
}

fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (body)
            }
        }
    }
    .into_string()
}

fn table(table: &Table) -> Markup {
    let class = |i: usize| if i < table.text_columns { "t" } else { "n" };
    html! {
        h2 { (table.title) }
        div.wide {
            table {
                thead { tr { @for (i, cell) in table.head.iter().enumerate() {
                    th class=(class(i)) { (cell) }
                } } }
                tbody { @for row in &table.rows { tr {
                    @for (i, cell) in row.iter().enumerate() { td class=(class(i)) { (cell) } }
                } } }
            }
        }
        ul { @for remark in &table.remarks { li { (remark) } } }
    }
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> Markup {
    html! { table { @for (name, value) in pairs { tr { th { (name) } td { (value) } } } } }
}

/// Our own SVG, whose texts the drawing library has escaped.
fn picture(svg: &str) -> Markup {
    html! { div { (PreEscaped(svg)) } }
}

fn made_by(version: &str) -> Markup {
    html! { p { "Made by latent-is " (version) " (this page by " (env!("CARGO_PKG_VERSION")) ")." } }
}

/// Draws of the flow and the failures found, in the two features in which these lie farthest out.
fn failures(report: &Report) -> anyhow::Result<String> {
    let far = |i: usize| {
        let n = report.failures.len().max(1) as f64;
        let mean = report.failures.iter().map(|x| x[i]).sum::<f64>() / n;
        ((mean - report.mean[i]) / report.sd[i]).abs()
    };
    let mut order: Vec<usize> = (0..report.features.len()).collect();
    order.sort_by(|a, b| far(*b).total_cmp(&far(*a)));
    let (i, j) = (order[0], *order.get(1).unwrap_or(&order[0]));
    let cloud = |name: &str, rows: &[Vec<f64>]| {
        Series::new(name, Mark::Dots, rows.iter().map(|x| (x[i], x[j])).collect())
    };
    let panel = Panel {
        title: "draws of the flow and failures found".to_owned(),
        x_label: report.features[i].clone(),
        y_label: report.features[j].clone(),
        series: vec![cloud("draws", &report.draws).behind(), cloud("failures", &report.failures)],
    };
    figures::draw(&[panel], 1)
}

fn levels(report: &Report) -> anyhow::Result<String> {
    let mut evaluations = 0;
    let points = report.estimate.levels().iter().map(|level| {
        evaluations += level.evaluations;
        (evaluations as f64, level.threshold)
    });
    let panel = Panel {
        title: "levels of the search".to_owned(),
        x_label: "evaluations".to_owned(),
        y_label: "threshold".to_owned(),
        series: vec![Series::new("threshold", Mark::Line, points.collect())],
    };
    figures::draw(&[panel], 1)
}
