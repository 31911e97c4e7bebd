//! `latent-is check`: whether a model works, and what it takes.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use comfy_table::Table;
use nalgebra::DMatrix;
use sim_core::{Model, ModelSimulator, Status};

use crate::{
    models::{file::ModelFile, open::OpenModel, words},
    output::{number::number, terminal::print_line},
};

/// Runs a model at a middle and at a random input.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The model file in TOML.
    model: PathBuf,
    /// Seed of the random input.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A run of one sample.
struct OneRun {
    inputs: Vec<f64>,
    outputs: Vec<f64>,
    status: Status,
    time: Duration,
}

/// Runs the command. Returns whether the model had an outcome each time, and the same one for the same
/// inputs and seed.
///
/// # Errors
/// When the file is invalid or the model cannot be run at all.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let file = ModelFile::read(&args.model)?;
    let model = file.open(None)?;
    let workers = match model.workers() {
        Some(workers) => format!("workers: {}", workers.total),
        None => "built in".to_owned(),
    };
    let limit = file.run().timeout().map_or_else(String::new, |t| format!(", time limit {t:?}"));
    print_line!(
        "{}: inputs: {} (random: {}), outputs: {}; {workers}{limit}",
        model.name(),
        model.inputs().len(),
        model.inputs().latent_dim(),
        model.outputs().len()
    );
    let middle = middle(&model)?;
    let (drawn, seeds) = ModelSimulator::new(&model).inputs(0, 1, args.seed)?;
    let seed = seeds[0];
    let first = one(&model, &middle, seed)?;
    let second = one(&model, &drawn, seed)?;
    print_inputs(&model, &first, &second);
    print_outputs(&model, &first, &second);
    for (run, place) in [(&first, "at the mean"), (&second, "at random inputs")] {
        let seconds = run.time.as_secs_f64();
        print_line!("{place}: {} ({seconds:.3} s)", words::status(&run.status));
    }
    let mut passed = first.status.is_done() && second.status.is_done();
    if passed {
        let again = one(&model, &drawn, seed)?;
        let equal = same(&again.outputs, &second.outputs);
        passed = equal;
        if equal {
            print_line!(
                "the same inputs and seed again: the same outputs, in {:.3} s",
                again.time.as_secs_f64()
            );
        } else {
            print_line!(
                "The same inputs and seed gave other outputs the second time ({}). Take all random numbers of \
                 the model from the seed; otherwise no failure can be run again.",
                listed(&again.outputs)
            );
        }
    } else {
        print_line!(
            "The model has no outcome for a sample. Mend it, or its file, before an estimate."
        );
    }
    Ok(passed)
}

/// The mean of each input, where there is one that the input can have.
fn middle(model: &OpenModel) -> anyhow::Result<DMatrix<f64>> {
    let median = model.inputs().median()?;
    let values = model.inputs().iter().zip(&median).map(|(input, m)| words::middle(input, *m));
    Ok(DMatrix::from_iterator(median.len(), 1, values))
}

fn one(model: &OpenModel, w: &DMatrix<f64>, seed: u64) -> anyhow::Result<OneRun> {
    let begin = Instant::now();
    let mut evaluations = model.evaluate(w.as_view(), &[seed])?;
    let time = begin.elapsed();
    let status = evaluations.statuses.remove(0);
    let outputs = evaluations.outputs.as_slice().to_vec();
    Ok(OneRun { inputs: w.as_slice().to_vec(), outputs, status, time })
}

/// Most inputs in the table.
const LISTED: usize = 30;

fn print_inputs(model: &OpenModel, first: &OneRun, second: &OneRun) {
    let mut table = Table::new();
    table.set_header(["input", "unit", "distribution", "mean", "random"]);
    for (i, input) in model.inputs().iter().enumerate().take(LISTED) {
        table.add_row([
            input.name().to_owned(),
            input.unit().to_owned(),
            words::distribution(input),
            number(first.inputs[i]),
            number(second.inputs[i]),
        ]);
    }
    print_line!("{table}");
    let more = model.inputs().len().saturating_sub(LISTED);
    if more > 0 {
        print_line!("and {more} more inputs");
    }
}

fn print_outputs(model: &OpenModel, first: &OneRun, second: &OneRun) {
    let mut table = Table::new();
    table.set_header(["output", "unit", "at the mean", "at random inputs"]);
    for (i, output) in model.outputs().iter().enumerate() {
        table.add_row([
            output.name().to_owned(),
            output.unit().to_owned(),
            number(first.outputs[i]),
            number(second.outputs[i]),
        ]);
    }
    print_line!("{table}");
}

fn listed(values: &[f64]) -> String {
    values.iter().map(|v| number(*v)).collect::<Vec<_>>().join(", ")
}

/// Whether two outcomes are equal to the last bit.
pub(super) fn same(a: &[f64], b: &[f64]) -> bool {
    let bits = |v: &f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
    a.iter().map(bits).eq(b.iter().map(bits))
}
