//! Results as tables and pictures for people and files for machines.

mod csv;
mod html;
mod quality;
mod settings;
mod table;

use std::path::Path;

pub use html::{estimate as estimate_page, evaluation as evaluation_page};
pub use quality::flow;
pub use settings::settings;
pub use table::{Table, evaluation};

use crate::{figures, files, reproduce::Results};

/// The table with its legend and the one of the flow, for a terminal.
pub fn terminal(results: &Results) -> String {
    flow(results).terminal() + &evaluation(results).terminal()
}

/// Writes into `folder`: `results.json`; `table.md`, `table.csv` and `table.tex`; `flow.md` and
/// `settings.md` with their LaTeX; the figures `levels` and `fidelity` as SVG and PNG.
///
/// # Errors
/// When a file cannot be written; each is written whole or not at all.
pub fn write_all(results: &Results, folder: &Path) -> anyhow::Result<()> {
    files::write(&folder.join("results.json"), &(serde_json::to_string_pretty(results)? + "\n"))?;
    let tables =
        [("table", evaluation(results)), ("flow", flow(results)), ("settings", settings(results)?)];
    for (name, table) in tables {
        files::write(&folder.join(format!("{name}.md")), &table.markdown())?;
        files::write(&folder.join(format!("{name}.tex")), &table.latex())?;
    }
    files::write(&folder.join("table.csv"), &csv::rows(&results.rows)?)?;
    figures::write(folder, "levels", &figures::levels(results)?)?;
    figures::write(folder, "fidelity", &figures::fidelity(results)?)
}
