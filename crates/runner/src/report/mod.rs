//! Results as tables, records and pages.
//!
//! | module | contents |
//! | --- | --- |
//! | [`mod@table`] | a table as text, Markdown and LaTeX |
//! | [`mod@evaluation`], [`mod@quality`], [`mod@settings`], [`mod@simulator`] | the tables of an evaluation |
//! | [`mod@estimate`], [`mod@model_estimate`], [`mod@study`] | the records of estimates and of studies, as JSON |
//! | [`mod@input`] | the JSON of an estimate or of an evaluation, read back and checked |
//! | [`mod@html`] | pages of an evaluation and of an estimate |

mod checks;
mod csv;
pub mod estimate;
pub mod evaluation;
pub mod html;
pub mod input;
pub mod model_estimate;
pub mod quality;
pub mod settings;
pub mod simulator;
pub mod study;
pub mod table;

use std::path::Path;

use crate::{
    figures,
    figures::evaluation::{fidelity, levels},
    output::file,
    report::{evaluation::evaluation, quality::quality, settings::settings},
    reproduce::results::Results,
};

/// Names of the files of an evaluation, with the figure of the samples.
pub const FILES: [&str; 14] = [
    "results.json",
    "table.md",
    "table.tex",
    "flow.md",
    "flow.tex",
    "settings.md",
    "settings.tex",
    "table.csv",
    "levels.svg",
    "levels.png",
    "fidelity.svg",
    "fidelity.png",
    "samples.svg",
    "samples.png",
];

/// The table of the flow and the table of the evaluation, for a terminal.
pub fn terminal(results: &Results) -> String {
    quality(results).terminal() + &evaluation(results).terminal()
}

/// Writes to `folder`: `results.json`; the tables `table`, `flow` and `settings` as Markdown and LaTeX;
/// `table.csv`; the figures `levels` and `fidelity` as SVG and PNG.
///
/// # Errors
/// When a file cannot be written.
pub fn write_all(results: &Results, folder: &Path) -> anyhow::Result<()> {
    file::write(&folder.join("results.json"), serde_json::to_string_pretty(results)? + "\n")?;
    let tables = [
        ("table", evaluation(results)),
        ("flow", quality(results)),
        ("settings", settings(results)?),
    ];
    for (name, table) in tables {
        file::write(&folder.join(format!("{name}.md")), table.markdown())?;
        file::write(&folder.join(format!("{name}.tex")), table.latex())?;
    }
    file::write(&folder.join("table.csv"), csv::rows(&results.rows)?)?;
    figures::write(folder, "levels", &levels(results)?)?;
    figures::write(folder, "fidelity", &fidelity(results)?)
}
