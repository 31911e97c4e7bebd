//! The paper's evaluation: every method in both spaces, many trials, one table.

mod published;
mod results;
mod row;
mod setup;
mod trial;

use std::path::{Path, PathBuf};

use flow_core::FlowFile;
use latent_is::rng::derive;
use rayon::prelude::*;

pub use published::{PUBLISHED, Published};
pub use results::{Probability, Results, Row};
pub use row::{Event, Method, Preset, RowKey, Space};

use crate::{
    experiment::Experiment, progress::Progress, reference::Reference, report, system::System,
    training,
};
use setup::Setup;
use trial::Trial;

/// What to reproduce and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the system.
    pub system: String,
    /// Trials a row; the experiment's own number if absent.
    pub trials: Option<usize>,
    /// Seed of everything but the training; the experiment's own if absent.
    pub seed: Option<u64>,
    /// An experiment file to use instead of the shipped one.
    pub experiment: Option<PathBuf>,
    /// Simulate and train anew instead of using the shipped flow.
    pub from_scratch: bool,
    /// A flow file to use instead of the shipped flow.
    pub flow: Option<PathBuf>,
    /// Only this method.
    pub method: Option<Method>,
    /// Only this space.
    pub space: Option<Space>,
    /// Folder of the results; a folder named after the system is made in it.
    pub out: PathBuf,
    /// Name of the device.
    pub device: String,
}

/// Runs the evaluation, prints its table and writes `results.json`, `table.md`, `table.csv` and
/// `table.tex`.
///
/// # Errors
/// When an option is wrong, a file cannot be read or written, or an estimator fails.
pub fn run(options: &Options) -> anyhow::Result<Results> {
    let system = System::by_name(&options.system)?;
    let mut experiment = match &options.experiment {
        Some(path) => Experiment::read(path)?,
        None => system.experiment(),
    };
    anyhow::ensure!(
        experiment.system == system.name,
        "the experiment is about `{}`, not `{}`",
        experiment.system,
        system.name
    );
    experiment.trials = options.trials.unwrap_or(experiment.trials);
    experiment.seed = options.seed.unwrap_or(experiment.seed);
    anyhow::ensure!(experiment.trials > 0, "--trials must be positive");
    let out = options.out.join(system.name);
    let (flow, reference, origin) = flow(system, options, &experiment, &out)?;

    let setup = Setup::new(system, &experiment, flow, reference)?;
    let keys = RowKey::all().into_iter().filter(|key| {
        options.method.is_none_or(|m| m == key.method)
            && options.space.is_none_or(|s| s == key.space)
    });
    let rows = keys
        .map(|key| row(&setup, key, experiment.trials, experiment.seed))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let results = setup.results(&experiment, origin, rows);
    println!("{}", report::terminal(&results));
    report::write_all(&results, &out)?;
    println!("written to {}", out.display());
    Ok(results)
}

/// The flow to search, what to hold the estimates to where that is ready, and where the flow comes
/// from.
fn flow(
    system: &System,
    options: &Options,
    experiment: &Experiment,
    out: &Path,
) -> anyhow::Result<(FlowFile, Option<Reference>, String)> {
    let device = flow_core::device(&options.device)?;
    if let Some(path) = &options.flow {
        anyhow::ensure!(!options.from_scratch, "--flow and --from-scratch exclude each other");
        let flow = FlowFile::load(path, &device)?;
        return Ok((flow, system.shipped_reference()?, path.display().to_string()));
    }
    if !options.from_scratch {
        let origin = "shipped with this version".to_owned();
        return Ok((system.shipped_flow(&device)?, system.shipped_reference()?, origin));
    }
    let command = format!("reproduce --system {} --from-scratch", system.name);
    let (file, reference) = training::from_scratch(system, experiment, &command, &device, out)?;
    Ok((file, Some(reference), out.join("flow.safetensors").display().to_string()))
}

/// All trials of one row; trials run in parallel and each has a seed of its own.
fn row(setup: &Setup, key: RowKey, trials: usize, seed: u64) -> anyhow::Result<Row> {
    let progress = Progress::start(key.to_string(), trials as u64);
    let begin = std::time::Instant::now();
    let outcomes = (0..trials)
        .into_par_iter()
        .map(|trial| {
            let outcome = Trial::run(setup, key, derive(seed, "trial", trial as u64));
            progress.advance(1);
            outcome
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let seconds = begin.elapsed().as_secs_f64();
    progress.finish();
    let (reference, own) = (setup.reference().pf, setup.own(key.event).pf);
    Ok(Row::new(key, &outcomes, reference, own, seconds)?)
}
