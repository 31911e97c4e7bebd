//! `latent-is report`: one page of HTML from the JSON of an estimate or of an evaluation.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    output::{file, outputs::Outputs, terminal::print_line},
    report::{
        html::{
            estimate::page_of_estimate, evaluation::page_of_evaluation,
            model_estimate::page_of_model_estimate, study::page_of_study,
        },
        input::ReportInput,
    },
};

/// Largest picture that is put into a page, in bytes.
const LARGEST_PICTURE: u64 = 50_000_000;

/// Makes one HTML page with numbers, settings, figures and versions.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// File that `estimate --json` wrote, the `study.json` of `study`, or the `results.json` of `reproduce`.
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
    let page = match ReportInput::parse(&text).with_context(named)? {
        ReportInput::Estimate(record) => page_of_estimate(&record)?,
        ReportInput::ModelEstimate(record) => page_of_model_estimate(&record)?,
        ReportInput::Study(study) => page_of_study(&study)?,
        // `reproduce` makes the figure of the samples, because that needs the flow.
        ReportInput::Evaluation(results) => {
            page_of_evaluation(&results, picture_in(&samples)?.as_deref())?
        }
    };
    file::write(&out, page)?;
    print_line!("page written to {}", out.display());
    Ok(())
}

/// The picture in the file at `path`, if there is one.
fn picture_in(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.and_then(|file| file.take(LARGEST_PICTURE + 1).read_to_end(&mut bytes)),
    }
    .with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(
        bytes.len() as u64 <= LARGEST_PICTURE,
        "{} has more than {LARGEST_PICTURE} bytes; remove it, and the page is made without it",
        path.display()
    );
    Ok(Some(bytes))
}
