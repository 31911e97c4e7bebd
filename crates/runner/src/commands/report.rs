//! `latent-is report`: one page of HTML from the JSON of an estimate or of an evaluation.

use std::path::PathBuf;

use anyhow::Context;

use crate::{
    output::{file, outputs::Outputs, terminal::print_line},
    report::{
        estimate::EstimateRecord,
        html::{estimate::page_of_estimate, evaluation::page_of_evaluation},
    },
    reproduce::results::Results,
};

/// Makes one HTML page with numbers, settings, figures and versions.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// File that `estimate --json` wrote, or the `results.json` of `reproduce`.
    #[arg(value_name = "JSON")]
    results: PathBuf,
    /// File of the page to write [default: the input file with the extension .html].
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the input is not a result of this program or the page cannot be written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let out = args.out.clone().unwrap_or_else(|| args.results.with_extension("html"));
    let samples = args.results.with_file_name("samples.svg");
    let _outputs = Outputs::claim(&[&args.results, &samples], &[&out], &[])?;
    let named = || format!("cannot read {}", args.results.display());
    let text = std::fs::read_to_string(&args.results).with_context(named)?;
    let page = if let Ok(record) = serde_json::from_str::<EstimateRecord>(&text) {
        page_of_estimate(&record)?
    } else {
        let results: Results = serde_json::from_str(&text).map_err(|error| {
            anyhow::anyhow!(
                "{} is neither an estimate nor an evaluation of this program ({error})",
                args.results.display()
            )
        })?;
        // `reproduce` makes the figure of the samples, because that needs the flow.
        let samples = std::fs::read_to_string(&samples).ok();
        page_of_evaluation(&results, samples.as_deref())?
    };
    file::write(&out, page)?;
    print_line!("page written to {}", out.display());
    Ok(())
}
