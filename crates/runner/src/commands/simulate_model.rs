//! `latent-is simulate --model`: inputs, seeds and outcomes of a model in a file.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::Context;
use nalgebra::DMatrix;
use sim_core::{FailureKind, Model, ModelSimulator, Status};

use crate::{
    commands::store_options::StoreOptions,
    models::{columns::SampleColumns, file::ModelFile, samples::Samples, words},
    outcomes::{Format, shape::TableShape},
    output::{
        outputs::Outputs,
        progress::TaskProgress,
        terminal::{print_line, print_note},
    },
};

/// Runs the model at `path` for `n` samples of the sequence of `seed`, and writes them to `out`.
///
/// # Errors
/// When an argument is invalid, the model cannot be run or a file cannot be written.
pub(super) fn run(
    path: &Path,
    n: usize,
    seed: u64,
    out: &Path,
    store: &StoreOptions,
) -> anyhow::Result<()> {
    let format = Format::to_write(out)?;
    let file = ModelFile::read(path)?;
    let _outputs = Outputs::claim(&[path], &[out], &[])?;
    let model = store.open(&file)?;
    let (m, d) = (model.inputs().len(), model.outputs().len());
    TableShape::in_memory(n, m + d + 2)?;
    let progress = Arc::new(TaskProgress::start(format!("running {}", model.name()), n as u64));
    model.watch(&progress);
    let (w, seeds) = ModelSimulator::new(&model).inputs(0, n, seed)?;
    let evaluations = model.evaluate(w.as_view(), &seeds).with_context(|| {
        let kept = model.store().map(|store| store.folder().display().to_string());
        let kept = kept.map_or_else(
            || "nothing was written".to_owned(),
            |kept| format!("what was evaluated is in {kept}"),
        );
        format!("the run stopped; {kept}")
    })?;
    progress.finish();
    model.sync()?;
    let lost = lost(&evaluations.statuses);
    let statuses = (!lost.is_empty()).then_some(evaluations.statuses);
    let outputs: DMatrix<f64> = evaluations.outputs;
    let columns = SampleColumns::of(&model);
    let samples = Samples { columns, w, seeds, outputs, more: Vec::new(), statuses };
    samples.write(out)?;
    for (kind, (count, message)) in &lost {
        print_note!("{count} samples without an outcome ({}): {message}", words::kind(*kind));
    }
    if !lost.is_empty() && format != Format::Csv {
        print_note!("their reasons, which are text, are written to .csv only");
    }
    if model.looked_up() > 0 {
        print_line!("{} of the samples were in the store", model.looked_up());
    }
    print_line!("{} samples with {m} inputs and {d} outputs written to {}", n, out.display());
    Ok(())
}

/// Number of samples without an outcome and what the first of them said, by kind.
fn lost(statuses: &[Status]) -> BTreeMap<FailureKind, (u64, String)> {
    let mut lost = BTreeMap::new();
    for status in statuses {
        if let Status::Failed { kind, message } = status {
            lost.entry(*kind).or_insert_with(|| (0, message.to_string())).0 += 1;
        }
    }
    lost
}
