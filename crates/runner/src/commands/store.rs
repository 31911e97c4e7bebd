//! `latent-is store`: what a store holds, and its evaluations as a table.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use comfy_table::Table;
use nalgebra::DVector;
use sim_core::Status;
use store::{Columns, Reader};

use crate::{
    models::{columns::SampleColumns, samples::Samples, words},
    outcomes::{Format, shape::TableShape, text::listed},
    output::{
        outputs::Outputs,
        terminal::{print_line, print_note},
    },
};

/// Numbers of an evaluation beside inputs and outputs: seed, seconds, worker, level.
const MORE: usize = 5;

/// Shows what a store of evaluations holds, and writes them to a file.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The folder of the store, such as brake.store.
    store: PathBuf,
    /// Write all evaluations to this file, in the order in which they ended: .csv, .parquet, .arrow or .npy.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the store or the file cannot be read or written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(out) = &args.out {
        Format::to_write(out)?;
    }
    let written: Vec<&Path> = args.out.iter().map(PathBuf::as_path).collect();
    let _outputs = Outputs::claim(&[], &written, &[])?;
    let mut reader = Reader::open(&args.store)
        .with_context(|| format!("{} is not a store that can be read", args.store.display()))?;
    let identity = reader.identity().clone();
    let columns = Columns::read(&mut reader)?;
    if let damage @ 1.. = reader.damage().len() {
        print_note!("{damage} damaged places were skipped; the evaluations in them are lost");
    }
    let n = columns.seeds.len();

    let mut table = Table::new();
    let mut row = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    row("model", identity.model.clone());
    row("inputs", listed(&identity.inputs, ", "));
    row("outputs", listed(&identity.outputs, ", "));
    row("evaluations", n.to_string());
    for (status, count) in by_status(&columns.statuses) {
        row(&format!("  {status}"), count.to_string());
    }
    let total: f64 = columns.seconds.iter().sum();
    if n > 0 && total.is_finite() {
        row("time of all workers together", format!("{:.1?}", seconds(total)));
        row("time of one evaluation, mean", format!("{:.1?}", seconds(total / n as f64)));
        let longest = columns.seconds.iter().copied().fold(0.0, f64::max);
        row("time of one evaluation, longest", format!("{:.1?}", seconds(longest)));
    }
    print_line!("{table}");

    let Some(out) = &args.out else { return Ok(()) };
    TableShape::in_memory(n, identity.inputs.len() + identity.outputs.len() + MORE)?;
    let whole = |values: Vec<u32>| DVector::from_iterator(n, values.into_iter().map(f64::from));
    let more = vec![
        ("seconds", DVector::from_vec(columns.seconds)),
        ("worker", whole(columns.workers)),
        ("level", whole(columns.levels)),
    ];
    let samples = Samples {
        columns: SampleColumns::new(identity.inputs, identity.outputs.iter().map(String::as_str)),
        w: columns.inputs,
        seeds: columns.seeds,
        outputs: columns.outputs,
        more,
        statuses: Some(columns.statuses),
    };
    let lost = samples.statuses.iter().flatten().any(|status| !status.is_done());
    samples.write(out)?;
    if lost && Format::to_write(out)? != Format::Csv {
        print_note!("what the statuses say, which is text, is written to .csv only");
    }
    print_line!("{n} evaluations written to {}", out.display());
    Ok(())
}

/// Numbers of evaluations by how they ended.
fn by_status(statuses: &[Status]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for status in statuses {
        let name = match status {
            Status::Done => "done",
            Status::Failed { kind, .. } => words::kind(*kind),
            _ => "unknown",
        };
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}
