//! Simulating and training with progress.

use std::path::Path;

use flow_core::{
    Checkpoint, Device, FlowFile, fit_resumable,
    train::{Epoch, Observer, data_hash},
};
use nalgebra::DMatrix;
use sim_core::{Simulator, rng::derive};

use crate::{
    experiment::{Experiment, Training},
    progress::Progress,
    reference::Reference,
    resume,
    system::System,
};

/// Simulates `n` outcomes of the sequence of `seed` with progress; refuses unfinished ones.
///
/// # Errors
/// When an outcome is NaN, with its index.
pub fn simulate(
    simulator: &dyn Simulator,
    n: usize,
    seed: u64,
    label: &str,
) -> anyhow::Result<DMatrix<f64>> {
    let progress = Progress::start(label, n as u64);
    let x = simulator.simulate_with(n, seed, &|done| progress.advance(done as u64));
    progress.finish();
    whole(x)
}

/// Simulates a training set and a reference, and trains a flow; `flow.safetensors` and
/// `reference.safetensors` are left in `out`. Interrupted, it goes on where it was: simulations after
/// their last whole block, training from its checkpoint.
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
    let training = &experiment.training;
    let simulator = system.simulator();
    let seed =
        training.data_seed.unwrap_or_else(|| derive(training.settings.seed(), "training data", 0));
    let parts = [out.join("training"), out.join("reference")];
    let x = whole(resume::simulate(simulator.as_ref(), training.runs, seed, &parts[0])?)?;
    let provenance = |seed: u64| {
        [
            ("command", command.to_owned()),
            ("simulator", format!("{} (sim seed {seed})", simulator.name())),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            // Set by `cargo xtask reproduce`.
            ("commit", std::env::var("LATENT_IS_COMMIT").unwrap_or_else(|_| "unknown".to_owned())),
        ]
        .map(|(key, value)| (key.to_owned(), value))
    };
    let path = out.join("flow.safetensors");
    let file = if let Some(file) = finished(&path, training, &x, device) {
        println!("{} was trained already", path.display());
        file
    } else {
        let checkpoint = Checkpoint::new(out.join("flow.ckpt"));
        let mut observer = TrainingProgress::default();
        let (x, config, settings) = (x.as_view(), &training.flow, &training.settings);
        let trained = fit_resumable(x, config, settings, device, &mut observer, &checkpoint)?;
        let mut record = trained.record;
        record.provenance = provenance(seed).into();
        let file = FlowFile { flow: trained.flow, record };
        file.save(&path)?;
        println!("flow written to {}", path.display());
        file
    };

    let regions = system.failure_regions(&file.flow.standardise().apply(x.as_view()))?;
    let seed = reference_seed(experiment);
    let runs = experiment.reference_runs;
    let fresh = whole(resume::simulate(simulator.as_ref(), runs, seed, &parts[1])?)?;
    let reference =
        Reference::count(&file.flow, regions, &fresh, system.name, seed, provenance(seed).into())?;
    let path = out.join("reference.safetensors");
    reference.save(&path)?;
    println!("reference written to {}", path.display());
    for part in parts {
        std::fs::remove_file(resume::part_path(&part))?;
    }
    Ok((file, reference))
}

/// The flow at `path` if it is the one that training on `x` would end with: a run that was interrupted
/// after its training has no checkpoint any more.
fn finished(
    path: &Path,
    training: &Training,
    x: &DMatrix<f64>,
    device: &Device,
) -> Option<FlowFile> {
    let file = FlowFile::load(path, device).ok()?;
    let same = *file.flow.config() == training.flow
        && file.record.settings == training.settings
        && file.record.data_hash == data_hash(x.as_view());
    same.then_some(file)
}

/// Seed of the simulations that estimates are held to.
pub fn reference_seed(experiment: &Experiment) -> u64 {
    experiment.reference_seed.unwrap_or_else(|| derive(experiment.seed, "reference", 0))
}

/// Refuses outcomes that the simulator did not finish.
fn whole(x: DMatrix<f64>) -> anyhow::Result<DMatrix<f64>> {
    if let Some(bad) = x.column_iter().position(|outcome| outcome.iter().any(|v| v.is_nan())) {
        anyhow::bail!("the simulator did not finish outcome {bad}");
    }
    Ok(x)
}

/// Shows a training run.
#[derive(Default)]
pub struct TrainingProgress(Option<Progress>);

impl Observer for TrainingProgress {
    fn start(&mut self, steps: usize) {
        self.0 = Some(Progress::start("training the flow", steps as u64));
    }

    fn resume(&mut self, done: usize) {
        if let Some(progress) = &self.0 {
            progress.line(&format!("{done} steps were done already"));
            progress.advance(done as u64);
        }
    }

    fn step(&mut self, loss: f64) {
        if let Some(progress) = &self.0 {
            progress.remark(format!("loss {loss:.4}"));
            progress.advance(1);
        }
    }

    fn epoch(&mut self, epoch: &Epoch) {
        let Some(progress) = &self.0 else { return };
        let held_out =
            epoch.held_out.map_or(String::new(), |l| format!(", held-out log-likelihood {l:.4}"));
        progress.line(&format!(
            "epoch {}/{}: loss {:.4}{held_out}, {:.0} rows/s, {:.0} s left",
            epoch.done, epoch.total, epoch.loss, epoch.rows_per_second, epoch.seconds_left
        ));
        if epoch.done == epoch.total
            && let Some(progress) = self.0.take()
        {
            progress.finish();
        }
    }
}
