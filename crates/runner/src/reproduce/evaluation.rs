//! The whole evaluation of one system.

use std::path::{Path, PathBuf};

use flow_core::FlowFile;
use latent_is::rng::derive;
use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::{
    estimation::method::{MethodKind, Space},
    output::progress::TaskProgress,
    reproduce::{
        key::{Event, Preset, RowKey},
        results::{FORMAT_VERSION, Results},
        row::Row,
        setup::Setup,
        trial::{Trial, estimate},
        trial_log::{TrialLog, TrialRecord, refuse_foreign},
    },
    systems::{experiment::Experiment, reference::Reference, system::System},
    training::from_scratch::from_scratch,
};

/// What to evaluate and how.
#[derive(Clone, Debug)]
pub struct EvaluationOptions {
    /// Name of the system.
    pub system: String,
    /// Trials per row; the number of the experiment if absent.
    pub trials: Option<usize>,
    /// Seed of everything except the training; the seed of the experiment if absent.
    pub seed: Option<u64>,
    /// An experiment file to use instead of the shipped one.
    pub experiment: Option<PathBuf>,
    /// Whether to simulate and train anew instead of using the shipped flow.
    pub from_scratch: bool,
    /// A flow file to use instead of the shipped flow.
    pub flow: Option<PathBuf>,
    /// Only this estimator.
    pub method: Option<MethodKind>,
    /// Only this space.
    pub space: Option<Space>,
    /// Folder of the results. Each system has its own folder in it.
    pub out: PathBuf,
    /// Name of the device.
    pub device: String,
}

/// An evaluation that is ready to run. Finished trials are logged, so that an interrupted evaluation
/// resumes at its first unfinished trial.
pub struct Evaluation {
    folder: PathBuf,
    experiment: Experiment,
    flow_origin: String,
    setup: Setup,
    keys: Vec<RowKey>,
    log: TrialLog,
}

impl Evaluation {
    /// Loads or computes flow and reference and opens the log of finished trials.
    ///
    /// # Errors
    /// When an option is invalid, a file cannot be read or written, or a simulation or training fails.
    pub fn prepare(options: &EvaluationOptions) -> anyhow::Result<Self> {
        let system = System::by_name(&options.system)?;
        let experiment = experiment(system, options)?;
        let folder = options.out.join(system.name);
        let log = folder.join("trials.jsonl");
        refuse_foreign(&log)?;
        let (flow, reference, flow_origin) =
            flow_and_reference(system, options, &experiment, &folder)?;
        let setup = Setup::new(system, &experiment, flow, reference)?;
        let log = TrialLog::open(&log, &setup.identity(&experiment))?;
        let selected = |key: &RowKey| {
            options.method.is_none_or(|m| m == key.method)
                && options.space.is_none_or(|s| s == key.space)
        };
        let keys = RowKey::all().into_iter().filter(selected).collect();
        Ok(Self { folder, experiment, flow_origin, setup, keys, log })
    }

    /// The folder of the results of this system.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What all trials share.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Number of trials that an interrupted run has finished.
    pub fn trials_done(&self) -> usize {
        self.log.len()
    }

    /// Runs all trials that are not finished yet.
    ///
    /// # Errors
    /// When an estimator fails or the log cannot be written.
    pub fn run(&self) -> anyhow::Result<Results> {
        let mut trials = Vec::new();
        let mut rows = Vec::new();
        for &key in &self.keys {
            let outcomes = self.run_row(key)?;
            let (reference, own) = (self.setup.reference().pf, self.setup.own(key.event).pf);
            rows.push(Row::new(key, &outcomes, reference, own)?);
            let record = |(trial, outcome)| TrialRecord { key, trial, outcome };
            trials.extend(outcomes.into_iter().enumerate().map(record));
        }
        Ok(Results {
            format_version: FORMAT_VERSION,
            system: self.experiment.system.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            experiment: self.experiment.clone(),
            reference: self.setup.reference().clone(),
            flow: self.setup.own(Event::True).clone(),
            surrogate: self.setup.own(Event::Surrogate).clone(),
            flow_origin: self.flow_origin.clone(),
            flow_quality: self.setup.quality().clone(),
            flow_training: self.setup.training_record().clone(),
            rows,
            trials,
        })
    }

    /// Failures that a cross-entropy search in latent space finds, for the figure of the samples.
    ///
    /// # Shapes
    /// - returns `[d, n]`, latent points
    ///
    /// # Errors
    /// When the estimator fails.
    pub fn sampled_failures(&self) -> anyhow::Result<DMatrix<f64>> {
        let key = RowKey {
            space: Space::Latent,
            method: MethodKind::Ce,
            preset: Preset::Default,
            event: Event::True,
        };
        let seed = derive(self.experiment.seed, "figure", 0);
        Ok(estimate(&self.setup, key, seed)?.sample.points)
    }

    /// Removes the log: the results are saved.
    ///
    /// # Errors
    /// When the log cannot be removed.
    pub fn finish(self) -> anyhow::Result<()> {
        self.log.remove()
    }

    /// All trials of one row. Trials run in parallel; each has its own seed.
    fn run_row(&self, key: RowKey) -> anyhow::Result<Vec<Trial>> {
        let experiment = &self.experiment;
        let progress = TaskProgress::start(key.to_string(), experiment.trials as u64);
        let outcomes = (0..experiment.trials)
            .into_par_iter()
            .map(|trial| {
                let outcome = if let Some(finished) = self.log.get(key, trial) {
                    finished.clone()
                } else {
                    let seed = derive(experiment.seed, "trial", trial as u64);
                    let outcome = Trial::run(&self.setup, key, seed)?;
                    self.log.append(&TrialRecord { key, trial, outcome: outcome.clone() })?;
                    outcome
                };
                progress.advance(1);
                Ok(outcome)
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        progress.finish();
        Ok(outcomes)
    }
}

/// The experiment with the options applied.
fn experiment(system: &System, options: &EvaluationOptions) -> anyhow::Result<Experiment> {
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
    experiment.check()?;
    experiment.check_memory()?;
    Ok(experiment)
}

/// The flow, the reference if there is one already, and the origin of the flow.
fn flow_and_reference(
    system: &System,
    options: &EvaluationOptions,
    experiment: &Experiment,
    folder: &Path,
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
    let (file, reference) = from_scratch(system, experiment, &command, &device, folder)?;
    Ok((file, Some(reference), folder.join("flow.safetensors").display().to_string()))
}
