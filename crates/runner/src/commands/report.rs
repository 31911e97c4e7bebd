//! `latent-is report`: one page of HTML from the JSON of an estimate or of an evaluation.

use std::path::PathBuf;

use anyhow::Context;

use super::estimate;
use crate::{files, report, reproduce::Results};

/// Makes one page of HTML with numbers, settings, pictures and versions.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// What `estimate --json` wrote, or the `results.json` of `reproduce`.
    #[arg(value_name = "JSON")]
    results: PathBuf,
    /// The page to write [default: the input with the ending .html].
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the input is no result of this program or the page cannot be written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let named = || format!("cannot read {}", args.results.display());
    let text = std::fs::read_to_string(&args.results).with_context(named)?;
    let page = if let Ok(estimate) = serde_json::from_str::<estimate::Report>(&text) {
        report::estimate_page(&estimate)?
    } else {
        let results: Results = serde_json::from_str(&text).map_err(|error| {
            anyhow::anyhow!(
                "{} is neither an estimate nor an evaluation of this program ({error})",
                args.results.display()
            )
        })?;
        // The picture of the samples is made by `reproduce`, which has the flow.
        let samples = std::fs::read_to_string(args.results.with_file_name("samples.svg")).ok();
        report::evaluation_page(&results, samples.as_deref())?
    };
    let out = args.out.clone().unwrap_or_else(|| args.results.with_extension("html"));
    files::write(&out, &page)?;
    println!("written to {}", out.display());
    Ok(())
}
