//! The tables as CSV and Markdown.

use std::fmt::Write as _;

use comfy_table::Table;

use crate::zoo::{cells::Row, totals::Total};

/// All figures of the rows as comma-separated values.
pub(super) fn csv(rows: &[Row]) -> String {
    let mut text =
        "method,problem,dim,runs,bias,abs_error,cov,rmse,evaluations,wnv,coverage,flagged,\
                    hidden,errors,seconds,peer,peer_wnv,ratio\n"
            .to_owned();
    for row in rows {
        let s = &row.summary;
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            row.method,
            row.problem,
            row.dim,
            s.runs,
            s.bias,
            s.abs_error,
            s.cov,
            s.rmse,
            s.evaluations,
            s.wnv,
            s.coverage,
            s.flagged,
            s.hidden,
            s.errors,
            row.seconds,
            row.peer,
            row.peer_wnv,
            row.ratio
        );
    }
    text
}

/// Both tables as Markdown.
pub(super) fn markdown(rows: &[Row], totals: &[Total]) -> String {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header([
        "method",
        "problem",
        "bias %",
        "|error| %",
        "CoV %",
        "RMSE %",
        "evaluations",
        "WNV",
        "covered %",
        "flagged %",
        "hidden %",
        "ms",
        "best peer",
        "its WNV",
        "ratio",
    ]);
    for row in rows {
        let s = &row.summary;
        table.add_row([
            row.method.clone(),
            row.problem.clone(),
            format!("{:+.1}", 100.0 * s.bias),
            percent(s.abs_error),
            percent(s.cov),
            percent(s.rmse),
            format!("{:.0}", s.evaluations),
            format!("{:.3e}", s.wnv),
            percent(s.coverage),
            percent(s.flagged),
            percent(s.hidden),
            format!("{:.0}", 1e3 * row.seconds),
            row.peer.clone(),
            format!("{:.3e}", row.peer_wnv),
            format!("{:.3}", row.ratio),
        ]);
    }
    let mut sums = Table::new();
    sums.load_style(comfy_table::presets::ASCII_MARKDOWN);
    sums.set_header([
        "method",
        "problems",
        "ratio (geometric mean)",
        "covered %",
        "hidden %",
        "good, converged",
        "good, not",
        "off, converged",
        "off, not",
    ]);
    for total in totals {
        let c = &total.confusion;
        sums.add_row([
            total.method.clone(),
            total.problems.to_string(),
            format!("{:.3}", total.ratio),
            percent(total.coverage),
            percent(total.hidden),
            c.good_converged.to_string(),
            c.good_other.to_string(),
            c.off_converged.to_string(),
            c.off_other.to_string(),
        ]);
    }
    format!(
        "# Estimators on problems with known answers\n\n{} runs per cell. WNV: evaluations times squared \
         relative RMSE. Ratio: our WNV divided by that of the best measured peer, below 1 if ours is better; \
         problems that our method or the peer solves exactly are left out of the mean. Off: relative error \
         above one half. Hidden: off without a warning.\n\n{sums}\n\n{table}\n",
        rows.first().map_or(0, |r| r.summary.runs)
    )
}
