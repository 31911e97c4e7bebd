//! An estimate on the terminal.

use comfy_table::Table;

use crate::{
    estimation::agreement::Agreement,
    output::terminal::print_line,
    report::estimate::{CAVEAT, EstimateRecord},
};

/// Prints the estimate, its diagnostics and the verdict.
pub(super) fn print_estimate(record: &EstimateRecord, seconds: f64) {
    let (estimate, interval) = (&record.estimate, &record.interval);
    let mut table = Table::new();
    let mut row = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    row("flow", record.flow.clone());
    row("failure probability", format!("{:.4e}", estimate.pf()));
    row("95 % interval", format!("{:.4e} to {:.4e}", interval.lower(), interval.upper()));
    row("coefficient of variation", format!("{:.1} %", 100.0 * estimate.cov));
    row("evaluations", estimate.counts.evaluations.to_string());
    row("failures drawn", format!("{} of {}", estimate.counts.failures, estimate.counts.draws));
    row("effective sample size", format!("{:.0}", estimate.weights.ess));
    if let Some(k) = estimate.weights.pareto_k {
        row("Pareto k of the weights", format!("{k:.2}"));
    }
    row("time", format!("{seconds:.1} s"));
    print_line!("{table}\n{}", record.sentence);
}

/// Prints the comparison of the flow with data, or how to get it.
pub(super) fn print_agreement(agreement: Option<&Agreement>) {
    print_line!("{CAVEAT}");
    match agreement {
        Some(agreement) => {
            let mut table = Table::new();
            table.set_header(Agreement::HEAD).add_rows(agreement.rows());
            print_line!("{table}\n{}", agreement.sentence());
        }
        None => print_line!("Use --data FILE to compare the flow with outcomes."),
    }
}
