//! `latent-is replay`: one failure of a model again.

use std::path::PathBuf;

use comfy_table::Table;
use nalgebra::DMatrixView;
use sim_core::Model;

use crate::{
    commands::check::same,
    models::{columns::SampleColumns, file::ModelFile, recorded::RecordedSample, words},
    output::terminal::print_line,
};

/// Runs one failure of a model again.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The failures, as `estimate --model --samples` or `simulate --model` wrote them in CSV.
    failures: PathBuf,
    /// The model file in TOML.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The failure; the first row after the names is 1.
    #[arg(long, value_name = "K", default_value_t = 1)]
    row: usize,
}

/// Runs the command. Returns whether the outcome is that of the file, to the last bit.
///
/// # Errors
/// When a file is invalid or the model cannot be run.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let model = ModelFile::read(&args.model)?.open(None)?;
    let columns = SampleColumns::of(&model);
    let sample = RecordedSample::read(&args.failures, args.row, &columns)?;
    let w = DMatrixView::from_slice(&sample.inputs, sample.inputs.len(), 1);
    let evaluations = model.evaluate(w, &[sample.seed])?;
    let outputs = evaluations.outputs.as_slice();

    let mut table = Table::new();
    table.set_header(["input", "unit", "value"]);
    for (input, value) in model.inputs().iter().zip(&sample.inputs) {
        table.add_row([input.name(), input.unit(), &value.to_string()]);
    }
    table.add_row(["seed", "", &sample.seed.to_string()]);
    print_line!("row {} of {}\n{table}", args.row, args.failures.display());
    let mut table = Table::new();
    table.set_header(["output", "unit", "in the file", "now"]);
    for (i, output) in model.outputs().iter().enumerate() {
        let [before, now] = [sample.outputs[i], outputs[i]].map(|v| v.to_string());
        table.add_row([output.name(), output.unit(), &before, &now]);
    }
    print_line!("{table}");
    let status = &evaluations.statuses[0];
    if !status.is_done() {
        print_line!("no outcome: {}", words::status(status));
    }
    let equal = same(&sample.outputs, outputs);
    print_line!(
        "{}",
        if equal {
            "The outcome is equal to the last bit."
        } else {
            "The outcome is another one. Was the model changed, or does it use random numbers that are not of its seed?"
        }
    );
    Ok(equal)
}
