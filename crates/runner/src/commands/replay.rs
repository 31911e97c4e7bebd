//! `latent-is replay`: one failure of a model again.

use std::path::{Path, PathBuf};

use anyhow::Context;
use comfy_table::Table;
use nalgebra::DMatrixView;
use sim_core::{Model, ModelSimulator};

use crate::{
    commands::check::same,
    figures::trajectory::trajectories,
    models::{
        columns::SampleColumns, file::ModelFile, open::OpenModel, recorded::RecordedSample, words,
    },
    outcomes::{self, Format},
    output::{file, outputs::Outputs, terminal::print_line},
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
    /// Write the course of the failure over time, if the model records one: .svg draws it beside those of random
    /// inputs, .csv, .parquet, .arrow and .npy hold its numbers.
    #[arg(long, value_name = "FILE")]
    trajectory: Option<PathBuf>,
}

/// Number of random samples beside the failure.
const NOMINAL: usize = 20;

/// Runs the command. Returns whether the outcome is that of the file, to the last bit.
///
/// # Errors
/// When a file is invalid or the model cannot be run.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let written: Vec<&Path> = args.trajectory.iter().map(PathBuf::as_path).collect();
    if let Some(path) = &args.trajectory
        && !is_picture(path)
    {
        Format::to_write(path)?;
    }
    let _outputs = Outputs::claim(&[&args.failures, &args.model], &written, &[])?;
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
    if let Some(path) = &args.trajectory {
        write_trajectory(&model, &sample, path)?;
        print_line!("trajectory written to {}", path.display());
    }
    Ok(equal)
}

fn is_picture(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "svg")
}

/// Writes the course of `sample` to `path`.
fn write_trajectory(model: &OpenModel, sample: &RecordedSample, path: &Path) -> anyhow::Result<()> {
    let course = model.trajectory(&sample.inputs, sample.seed)?.with_context(|| {
        format!(
            "the model {} records no course over time; only the built-in systems do",
            model.name()
        )
    })?;
    if !is_picture(path) {
        let names: Vec<String> = course.columns.iter().map(|c| c.name().to_owned()).collect();
        return outcomes::write(path, Format::to_write(path)?, &names, &course.values);
    }
    let (w, seeds) = ModelSimulator::new(model).inputs(0, NOMINAL, 1)?;
    let mut nominal = Vec::with_capacity(NOMINAL);
    for (w, seed) in w.column_iter().zip(seeds) {
        nominal.extend(model.trajectory(w.into_owned().as_slice(), seed)?);
    }
    file::write(path, trajectories(&course, &nominal)?)
}
