//! Results as tables for people and files for machines.

mod csv;
mod table;

use std::path::Path;

pub use table::{Table, evaluation};

use crate::{files, reproduce::Results};

/// The table with its legend, for a terminal.
pub fn terminal(results: &Results) -> String {
    evaluation(results).terminal()
}

/// Writes `results.json`, `table.md`, `table.csv` and `table.tex` into `folder`.
///
/// # Errors
/// When a file cannot be written; each is written whole or not at all.
pub fn write_all(results: &Results, folder: &Path) -> anyhow::Result<()> {
    let table = evaluation(results);
    files::write(&folder.join("results.json"), &(serde_json::to_string_pretty(results)? + "\n"))?;
    files::write(&folder.join("table.md"), &table.markdown())?;
    files::write(&folder.join("table.csv"), &csv::rows(&results.rows)?)?;
    files::write(&folder.join("table.tex"), &table.latex())
}
