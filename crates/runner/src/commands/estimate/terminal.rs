//! An estimate on the terminal.

use std::path::Path;

use comfy_table::Table;
use latent_is::scientific;

use crate::{
    criterion::FailureCriterion,
    estimation::agreement::Agreement,
    output::terminal::print_line,
    report::estimate::{CAVEAT, EstimateRecord, support_sentence},
};

/// Prints the estimate, its diagnostics and the verdict.
pub(super) fn print_estimate(record: &EstimateRecord, seconds: f64) {
    let estimate = &record.estimate;
    let mut table = Table::new();
    let mut row = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    row("flow", record.flow.clone());
    row("failure probability", scientific(estimate.ln_pf, 4));
    record.intervals().into_iter().for_each(|(name, interval)| row(name, interval));
    if estimate.cov.is_finite() {
        row("coefficient of variation", format!("{:.1} %", 100.0 * estimate.cov));
    }
    row("evaluations", estimate.counts.evaluations.to_string());
    row("failures drawn", format!("{} of {}", estimate.counts.failures, estimate.counts.draws));
    row("effective sample size", format!("{:.0}", estimate.weights.ess));
    if let Some(k) = estimate.weights.pareto_k {
        row("Pareto k of the weights", format!("{k:.2}"));
    }
    row("time", format!("{seconds:.1} s"));
    print_line!("{table}\n{}", record.sentence);
}

/// Prints the comparison of the flow with the outcomes at `data` or in its file, or how to get it.
pub(super) fn print_agreement(record: &EstimateRecord, data: Option<&Path>) {
    print_line!("{CAVEAT}");
    let Some(agreement) = &record.agreement else {
        return print_line!(
            "The flow file holds no outcomes. Use --data FILE to compare the flow with outcomes."
        );
    };
    let mut table = Table::new();
    table.set_header(Agreement::HEAD).add_rows(agreement.rows());
    let origin =
        data.map_or("in the flow file".to_owned(), |data| format!("in {}", data.display()));
    print_line!(
        "Comparison with the {} outcomes {origin}:\n{table}\n{}",
        agreement.outcomes,
        agreement.sentence()
    );
    if let Some(support) = &record.support {
        print_line!("{}", support_sentence(support));
    }
}

/// Says how often the program of the criterion had no value, if it is one.
pub(super) fn print_missing(criterion: &FailureCriterion) {
    if let (missing @ 1.., first) = criterion.missing() {
        let first = first.unwrap_or_default();
        print_line!(
            "The program of the criterion had no value {missing} times, the first time: {first}"
        );
    }
}
