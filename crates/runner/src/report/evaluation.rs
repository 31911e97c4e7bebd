//! The table of an evaluation: one row per estimator, space, settings and event.

use crate::{
    report::table::ReportTable,
    reproduce::{
        key::Preset,
        published::{PUBLISHED, PublishedRow},
        results::Results,
        row::Row,
    },
};

const HEAD: [&str; 15] = [
    "search",
    "preset",
    "event",
    "P_f",
    "rel. err.",
    "|rel. err.|",
    "|vs flow|",
    "max",
    "NLL",
    "coverage",
    "density",
    "evaluations",
    "95 % int.",
    "flagged",
    "s",
];

/// The evaluation as a table. Below each row of the preset `paper` are the figures of the published
/// program, if there are any.
pub fn evaluation(results: &Results) -> ReportTable {
    let mut rows = Vec::new();
    for row in &results.rows {
        rows.push(ours(row));
        if results.system == "robot" && row.preset == Preset::Paper {
            let same = |p: &&PublishedRow| {
                (p.space, p.method, p.event) == (row.space, row.method, row.event)
            };
            rows.extend(PUBLISHED.iter().filter(same).map(published));
        }
    }
    let (reference, flow, surrogate) = (&results.reference, &results.flow, &results.surrogate);
    let remarks = vec![
        format!(
            "P_f by simulation: {:.3e} ± {:.1e} ({} runs); under the flow: {:.3e} ± {:.1e} ({} draws, {:+.1} %); \
             of the surrogate ellipsoids: {:.3e} ± {:.1e}.",
            reference.pf, reference.se, reference.draws,
            flow.pf, flow.se, flow.draws, 100.0 * (flow.pf / reference.pf - 1.0),
            surrogate.pf, surrogate.se,
        ),
        "The surrogate event (ellipsoids around the encoded failures) is not the failure event. Its \
         rows check the estimators; they do not estimate the failure probability."
            .to_owned(),
        "rel. err.: mean of (estimate − simulation) / simulation; |rel. err.|: mean of its absolute value; \
         |vs flow|, max: mean and largest absolute relative error against the probability of the event under the flow."
            .to_owned(),
        "NLL: mean of −ln p over draws from the final proposal; coverage, density: failures among these \
         draws against simulated failures, k = 5; evaluations: all of them, including those of the surrogate; \
         95 % int.: share of the intervals that contain the probability of the event under the flow; \
         flagged: share of the estimates whose verdict is suspect or failed; s: seconds per estimate while \
         other trials used the same cores."
            .to_owned(),
        "published: the public program, 100 trials, with its own flow and its own count of samples; \
         corrected: the same with its defects corrected."
            .to_owned(),
    ];
    let title = format!(
        "{}: {} trials per row, seed {}",
        results.system, results.experiment.trials, results.experiment.seed
    );
    ReportTable { title, head: HEAD.map(str::to_owned).into(), text_columns: 3, rows, remarks }
}

fn ours(row: &Row) -> Vec<String> {
    vec![
        format!("{}-{}", row.space, row.method),
        row.preset.to_string(),
        row.event.to_string(),
        probability(row.pf_mean, row.pf_sd),
        format!("{:+.3}", row.rel_err_mean),
        format!("{:.3}", row.rel_err_abs_mean),
        format!("{:.3}", row.rel_err_flow_abs_mean),
        format!("{:.3}", row.rel_err_flow_abs_max),
        format!("{:.2}", row.nll_mean),
        format!("{:.3}", row.coverage_mean),
        format!("{:.3}", row.density_mean),
        format!("{:.0}", row.evaluations_mean),
        format!("{:.2}", row.interval_coverage),
        format!("{:.2}", row.flagged),
        format!("{:.2}", row.seconds),
    ]
}

/// A mean and a standard deviation.
fn probability(mean: f64, sd: f64) -> String {
    format!("{mean:.5} ± {sd:.5}")
}

fn published(row: &PublishedRow) -> Vec<String> {
    let source = if row.corrected { "corrected" } else { "published" };
    let none = String::new;
    vec![
        format!("  {}-{}", row.space, row.method),
        source.to_owned(),
        row.event.to_string(),
        probability(row.pf.0, row.pf.1),
        format!("{:+.3}", row.rel_err),
        none(),
        none(),
        none(),
        format!("{:.2}", row.nll),
        format!("{:.3}", row.coverage),
        format!("{:.3}", row.density),
        row.samples.to_string(),
        none(),
        none(),
        none(),
    ]
}
