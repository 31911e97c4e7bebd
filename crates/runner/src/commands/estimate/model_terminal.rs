//! The estimate of a model on the terminal.

use comfy_table::Table;
use latent_is::scientific;
use programs::OnFailure;

use crate::{
    estimation::model_method::MethodChoice,
    models::words,
    output::terminal::print_line,
    report::model_estimate::{CAVEAT, ModelEstimateRecord},
};

/// Prints the estimate, its diagnostics and the verdict.
pub(in crate::commands) fn print(record: &ModelEstimateRecord, seconds: f64) {
    let estimate = &record.estimate;
    let mut table = Table::new();
    let mut row = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    row("model", record.name.clone());
    row("method", record.method.to_string());
    row("failure probability", scientific(estimate.ln_pf, 4));
    let interval = &record.interval;
    let ends = [interval.ln_lower, interval.ln_upper].map(|ln| scientific(ln, 4));
    row("95 % interval", ends.join(" to "));
    if estimate.cov.is_finite() {
        row("coefficient of variation", format!("{:.1} %", 100.0 * estimate.cov));
    }
    for (index, mode) in estimate.modes.iter().enumerate() {
        let share = if mode.cov.is_finite() {
            format!("{} ± {:.1} %", scientific(mode.ln_pf, 4), 100.0 * mode.cov)
        } else {
            "no failure was drawn".to_owned()
        };
        row(&format!("region {} of the criterion", index + 1), share);
    }
    row("evaluations", estimate.counts.evaluations.to_string());
    if record.looked_up > 0 {
        row("looked up in the store", record.looked_up.to_string());
    }
    row("failures drawn", format!("{} of {}", estimate.counts.failures, estimate.counts.draws));
    for lost in &record.without_an_outcome {
        row(
            "without an outcome",
            format!("{} {}, first: {}", lost.count, words::kind(lost.kind), short(&lost.message)),
        );
    }
    if let Some(missing) = &record.missing_as_failures {
        let (ends, p) = (&missing.interval, scientific(missing.probability.ln(), 4));
        let [low, high] = [ends.ln_lower, ends.ln_upper].map(|ln| scientific(ln, 4));
        row(
            "with these as failures",
            format!("{p}, {low} to {high}, by {} evaluations", missing.evaluations),
        );
    }
    row("effective sample size", format!("{:.0}", estimate.weights.ess));
    if let Some(k) = estimate.weights.pareto_k {
        row("Pareto k of the weights", format!("{k:.2}"));
    }
    row("time", format!("{seconds:.1} s"));
    print_line!("{table}\n{}", record.sentence);
    if !record.without_an_outcome.is_empty() {
        print_line!(
            "{}",
            match record.counted_as {
                OnFailure::Failure =>
                    "Samples without an outcome count as failures (on_failure = \"failure\").",
                _ if record.missing_as_failures.is_some() =>
                    "The interval reaches from all samples without an outcome safe to all of them failing.",
                _ =>
                    "The interval reaches from all samples without an outcome that were drawn safe to all of them failing.",
            }
        );
    }
    if let Some(cov) = crude(record) {
        print_line!(
            "Crude Monte Carlo with as many runs would have a coefficient of variation of {:.1} %: for an event that is so \
             frequent take --method monte-carlo.",
            100.0 * cov
        );
    }
    print_line!("{CAVEAT}");
}

/// The coefficient of variation of crude Monte Carlo with as many runs, where it is smaller.
fn crude(record: &ModelEstimateRecord) -> Option<f64> {
    let (p, runs) = (record.probability, record.estimate.counts.evaluations);
    let cov = ((1.0 - p) / (p * runs as f64)).sqrt();
    (record.method != MethodChoice::MonteCarlo && cov < record.estimate.cov).then_some(cov)
}

/// The first line of a message, cut.
fn short(message: &str) -> String {
    const LONGEST: usize = 60;
    let line = message.lines().next().unwrap_or_default();
    let mut text: String = line.chars().take(LONGEST).collect();
    if text.len() < line.len() {
        text.push('…');
    }
    text
}
