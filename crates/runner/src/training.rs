//! Simulating and training with progress.

use flow_core::{
    Device, FlowFile, fit,
    train::{Epoch, Observer},
};
use latent_is::Simulator;
use nalgebra::DMatrix;

use crate::{experiment::Training, progress::Progress, system::System};

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
    if let Some(bad) = x.column_iter().position(|outcome| outcome.iter().any(|v| v.is_nan())) {
        anyhow::bail!("the simulator did not finish outcome {bad} of seed {seed}");
    }
    Ok(x)
}

/// Simulates a training set and trains a flow on it.
///
/// # Errors
/// When the simulator or the training fails.
pub fn from_scratch(
    system: &System,
    training: &Training,
    seed: u64,
    command: &str,
    device: &Device,
) -> anyhow::Result<FlowFile> {
    let x = simulate(system.simulator().as_ref(), training.runs, seed, "simulating training data")?;
    let mut observer = TrainingProgress(None);
    let trained = fit(x.as_view(), &training.flow, &training.settings, device, &mut observer)?;
    let mut record = trained.record;
    record.provenance = [
        ("command", command.to_owned()),
        ("simulator", format!("{} (sim seed {seed})", system.name)),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        // Set by `cargo xtask reproduce`.
        ("commit", std::env::var("LATENT_IS_COMMIT").unwrap_or_else(|_| "unknown".to_owned())),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    Ok(FlowFile { flow: trained.flow, record })
}

/// Shows a training run.
struct TrainingProgress(Option<Progress>);

impl Observer for TrainingProgress {
    fn start(&mut self, steps: usize) {
        self.0 = Some(Progress::start("training the flow", steps as u64));
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
            "epoch {}/{}: loss {:.4}{held_out}",
            epoch.done, epoch.total, epoch.loss
        ));
        if epoch.done == epoch.total
            && let Some(progress) = self.0.take()
        {
            progress.finish();
        }
    }
}
