//! `cargo xtask zoo`: the estimators on problems with known answers, compared with other programs.
//!
//! Runs the example `zoo` of latent-is, which writes one file per method and problem (a cell), and makes
//! tables from these files.

mod cells;
pub(crate) mod options;
mod tables;
mod totals;

use std::path::Path;

use anyhow::ensure;

use crate::{
    cargo::{cargo, run as run_or_leave},
    zoo::{cells::rows, options::Options, totals::totals},
};

/// Runs the cells and writes `zoo.csv`, `zoo.json` and `zoo.md`.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = root.join(&options.out);
    let build = ["run", "--release", "--package", "latent-is", "--no-default-features"];
    let mut command = cargo(&build);
    command.args(["--example", "zoo", "--", "--out"]).arg(&out);
    command.args(["--reps", &options.reps.to_string()]);
    for (name, list) in [("--methods", &options.methods), ("--problems", &options.problems)] {
        if let Some(list) = list {
            command.args([name, list]);
        }
    }
    run_or_leave(&mut command)?;
    let rows = rows(&out.join("cells"), options)?;
    ensure!(!rows.is_empty(), "no cells in {}", out.display());
    let totals = totals(&rows);
    safe_file::write(&out.join("zoo.csv"), tables::csv(&rows))?;
    let json = serde_json::json!({ "rows": rows, "totals": totals });
    safe_file::write(&out.join("zoo.json"), serde_json::to_string_pretty(&json)?)?;
    let text = tables::markdown(&rows, &totals);
    safe_file::write(&out.join("zoo.md"), &text)?;
    println!("{text}\nwritten to {}", options.out.display());
    Ok(())
}
