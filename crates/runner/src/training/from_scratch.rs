//! The flow and the reference of a system, from fresh simulations.

use std::{collections::HashMap, path::Path};

use flow_core::{Checkpoint, Device, Flow, FlowFile, Health, fit_resumable};
use nalgebra::DMatrix;

use crate::{
    output::terminal::{print_line, print_note},
    simulation::{
        part_file::{PartFile, remove_part},
        require_finished, simulate,
    },
    systems::{
        experiment::{Experiment, Training},
        reference::Reference,
        system::System,
    },
    training::{
        checks::{self, CHECKS},
        finished::finished,
        progress::TrainingProgress,
    },
};

/// Simulates a training set and a reference and trains a flow. Leaves `flow.safetensors` and
/// `reference.safetensors` in `out`.
///
/// An interrupted run resumes: the simulations after their last complete block, the training from
/// its checkpoint.
///
/// # Errors
/// When the simulator or the training fails, or a file cannot be written.
pub fn from_scratch(
    system: &System,
    experiment: &Experiment,
    command: &str,
    device: &Device,
    out: &Path,
) -> anyhow::Result<(FlowFile, Reference)> {
    let simulator = system.simulator();
    let simulate_resumable = |n: usize, seed: u64, part: &Path| {
        let file = PartFile::open(part, simulator.as_ref(), seed)?;
        let label = format!("simulating {}", system.name);
        require_finished(simulate(simulator.as_ref(), n, seed, &label, Some(file))?)
    };
    let provenance = |seed: u64| -> HashMap<String, String> {
        [
            ("command", command.to_owned()),
            ("simulator", format!("{} (sim seed {seed})", simulator.name())),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            // Set by `cargo xtask reproduce`.
            ("commit", std::env::var("LATENT_IS_COMMIT").unwrap_or_else(|_| "unknown".to_owned())),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    };
    let parts = [out.join("training"), out.join("reference")];

    let training = &experiment.training;
    let seed = training.seed_of_data();
    let x = simulate_resumable(training.runs, seed, &parts[0])?;
    let path = out.join("flow.safetensors");
    let file = if let Some(file) =
        finished(&path, &training.flow, &training.settings, x.as_view(), device)
    {
        print_line!("{} is trained already", path.display());
        file
    } else {
        let file = train(training, &x, device, &out.join("flow.ckpt"), provenance(seed))?;
        file.save(&path)?;
        print_line!("flow written to {}", path.display());
        file
    };

    let regions = system.failure_regions(x.as_view(), file.flow.standardise())?;
    let seed = experiment.seed_of_reference();
    let fresh = simulate_resumable(experiment.reference_runs, seed, &parts[1])?;
    let reference =
        Reference::count(&file.flow, regions, &fresh, system.name, seed, provenance(seed))?;
    let path = out.join("reference.safetensors");
    reference.save(&path)?;
    print_line!("reference written to {}", path.display());
    for part in parts {
        remove_part(&part)?;
    }
    Ok((file, reference))
}

/// Trains a flow on `x`, `[d, n]`, or resumes from the checkpoint.
fn train(
    training: &Training,
    x: &DMatrix<f64>,
    device: &Device,
    checkpoint: &Path,
    provenance: HashMap<String, String>,
) -> anyhow::Result<FlowFile> {
    let checkpoint = Checkpoint::new(checkpoint);
    let (config, settings) = (&training.flow, &training.settings);
    let mut observer = TrainingProgress::new("training the flow");
    let trained = fit_resumable(x.as_view(), config, settings, device, &mut observer, &checkpoint)?;
    let mut record = trained.record;
    record.provenance = provenance.into_iter().collect();
    let result = checks::result(&Health::examine(&trained.flow, None)?);
    record.provenance.insert(CHECKS.to_owned(), result);
    if let Some(failed) = checks::failed(&record) {
        print_note!("warning: the checks of the flow {failed}");
    }
    Ok(FlowFile::new(trained.flow, record).with_rows(x.as_view()))
}

/// A reference from fresh simulations, for a system whose failure regions are fixed.
///
/// # Errors
/// When the simulator fails.
pub fn simulated_reference(
    system: &System,
    experiment: &Experiment,
    flow: &Flow,
) -> anyhow::Result<Reference> {
    // Fixed regions need no training set.
    let none = DMatrix::zeros(flow.features(), 0);
    let regions = system.failure_regions(none.as_view(), flow.standardise())?;
    let (n, seed) = (experiment.reference_runs, experiment.seed_of_reference());
    let label = "simulating the reference";
    let x = require_finished(simulate(system.simulator().as_ref(), n, seed, label, None)?)?;
    Reference::count(flow, regions, &x, system.name, seed, HashMap::new())
}
