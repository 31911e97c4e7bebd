//! The paper's evaluation: every method in both spaces, many trials, one table.

mod log;
mod published;
mod quality;
mod results;
mod row;
mod samples;
mod setup;
mod trial;

use std::path::{Path, PathBuf};

use flow_core::FlowFile;
use latent_is::rng::derive;
use rayon::prelude::*;

pub use log::TrialRecord;
pub use published::{PUBLISHED, Published};
pub use quality::{FeatureDistance, FlowQuality, RegionProbability};
pub use results::{Probability, Results, Row};
pub(crate) use row::searches;
pub use row::{Event, Method, Preset, RowKey, Space};
pub use trial::{Level, Trial};

use crate::{
    experiment::Experiment, figures, progress::Progress, reference::Reference, report,
    system::System, training,
};
use log::TrialLog;
use setup::Setup;

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

/// Runs the evaluation, prints its table and writes tables and figures, see [`report::write_all`].
/// Finished trials are kept, so that an interrupted run goes on at the first unfinished one.
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
    let log = TrialLog::open(&out.join("trials.jsonl"), &setup.about(&experiment))?;
    if log.len() > 0 {
        println!("{} trials were done already", log.len());
    }
    let mut trials = Vec::new();
    let mut rows = Vec::new();
    for key in keys {
        let outcomes = row(&setup, &log, key, &experiment)?;
        rows.push(Row::new(key, &outcomes, setup.reference().pf, setup.own(key.event).pf)?);
        let record = |(trial, outcome)| TrialRecord { key, trial, outcome };
        trials.extend(outcomes.into_iter().enumerate().map(record));
    }
    let samples = samples::figure(&setup, system.name, experiment.seed)?;
    let results = setup.results(&experiment, origin, rows, trials);
    println!("{}", report::terminal(&results));
    report::write_all(&results, &out)?;
    figures::write(&out, "samples", &samples)?;
    log.remove()?;
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
fn row(
    setup: &Setup,
    log: &TrialLog,
    key: RowKey,
    experiment: &Experiment,
) -> anyhow::Result<Vec<Trial>> {
    let progress = Progress::start(key.to_string(), experiment.trials as u64);
    let outcomes = (0..experiment.trials)
        .into_par_iter()
        .map(|trial| {
            let outcome = if let Some(known) = log.get(key, trial) {
                known.clone()
            } else {
                let outcome =
                    Trial::run(setup, key, derive(experiment.seed, "trial", trial as u64))?;
                log.keep(&TrialRecord { key, trial, outcome: outcome.clone() })?;
                outcome
            };
            progress.advance(1);
            Ok(outcome)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    progress.finish();
    Ok(outcomes)
}
