//! `latent-is study`: a certified failure probability of a model, its rows, and a flow that knows the tail.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context;
use flow_core::{Checkpoint, Device, FlowFile, Health};
use latent_is::{Certified, Judge, Tilt, rng::derive, verdict::Status};
use nalgebra::DMatrix;
use sim_core::Model;

use crate::{
    commands::{
        criterion_options::CriterionOptions,
        estimate::{
            model_levels::step,
            model_record::{ModelRun, kept},
            model_terminal,
        },
        features::{FEATURES, TILTED, stored_names},
        store_options::StoreOptions,
        study_terminal,
    },
    criterion::FailureCriterion,
    estimation::model_method::MethodChoice,
    models::{file::ModelFile, open::OpenModel},
    output::{
        interrupt,
        terminal::{print_line, print_note},
    },
    report::study::{FORMAT, FlowRecord, RowsRecord, StudyRecord},
    study::{
        certify::certify,
        enriched::{EnrichedFlow, Training},
        folder::StudyFolder,
        levels::masses,
        rows::StudyRows,
    },
    training::checks,
};

/// Share of untilted outcomes in the tilt.
const NOMINAL_SHARE: f64 = 0.5;

/// Studies a failure criterion on a model.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The model file in TOML.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    #[command(flatten)]
    criterion: CriterionOptions,
    /// Folder of the study.
    #[arg(short, long, value_name = "DIR", default_value = "study")]
    out: PathBuf,
    /// Runs of the model, at most.
    #[arg(long, default_value_t = 100_000)]
    runs: u64,
    /// Target of the coefficient of variation: the runs end when a certified estimate has reached it.
    #[arg(long, default_value_t = 0.03)]
    target_cov: f64,
    /// Seed. The same seed gives the same results.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Evaluate stored samples again that crashed, timed out or were answered badly.
    #[arg(long)]
    again: bool,
    /// Do not train a flow.
    #[arg(long)]
    no_flow: bool,
    /// Largest number of passes of the training over the rows.
    #[arg(long, default_value_t = 40)]
    epochs: usize,
    /// Width of the conditioner networks of the flow.
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    /// Number of spline layers of the flow.
    #[arg(long, default_value_t = 6)]
    steps: usize,
    /// Device that computes the flow.
    #[arg(long, default_value = flow_core::DEVICES[0])]
    device: String,
}

/// Runs the command and returns the status of the certified estimate.
///
/// # Errors
/// When a file or an argument is invalid, the model cannot be run, or a file cannot be written.
pub fn run(args: &Args) -> anyhow::Result<Status> {
    args.criterion.required()?;
    let device = flow_core::device(&args.device)?;
    let folder = StudyFolder(args.out.clone());
    let inputs: Vec<_> = [args.model.as_path()].into_iter().chain(args.criterion.file()).collect();
    let _outputs = folder.claim(&inputs)?;
    let file = ModelFile::read(&args.model)?;
    let model = StoreOptions::in_folder(folder.store(), args.again).open(&file)?;
    let names: Vec<String> = model.outputs().iter().map(|o| o.name().to_owned()).collect();
    let criterion = args.criterion.read_for_model(&names)?.context("there is no criterion")?;
    refuse_other(&folder, &file, &criterion)?;
    let (hidden, steps, epochs, seed) = (args.hidden, args.steps, args.epochs, args.seed);
    let study = Job {
        file: &file,
        model: &model,
        criterion: &criterion,
        folder: &folder,
        runs: args.runs,
        target_cov: args.target_cov,
        seed: args.seed,
        training: (!args.no_flow).then_some(Training { hidden, steps, epochs, seed }),
        device: &device,
    }
    .run()?;
    study_terminal::print(&study);
    print_line!("study written to {}", folder.shown());
    Ok(study.certified.verdict.status)
}

/// A study to be made.
pub(super) struct Job<'a> {
    pub(super) file: &'a ModelFile,
    pub(super) model: &'a OpenModel,
    pub(super) criterion: &'a FailureCriterion,
    pub(super) folder: &'a StudyFolder,
    pub(super) runs: u64,
    pub(super) target_cov: f64,
    pub(super) seed: u64,
    /// How the flow is trained; none for a study without one.
    pub(super) training: Option<Training>,
    pub(super) device: &'a Device,
}

impl Job<'_> {
    /// Makes the study, writes its files and prints the certified estimate.
    ///
    /// # Errors
    /// When the model cannot be run or a file cannot be written.
    pub(super) fn run(&self) -> anyhow::Result<StudyRecord> {
        let Self { file, model, criterion, folder, runs, target_cov, seed, .. } = *self;
        let method = Certified::builder()
            .budget(runs)
            .target_cov(Some(target_cov))
            .build()
            .context("--runs or --target-cov")?;
        let g = ModelRun::limit_state(file, model, criterion, seed)?;
        print_note!(
            "{}: {} random inputs, {} in the criterion",
            model.name(),
            model.inputs().latent_dim(),
            counted(Judge::modes(criterion), "region")
        );
        let begin = Instant::now();
        let made = certify(&method, (&g, runs), seed, step)
            .with_context(|| format!("the study stopped ({})", kept(model)))?;
        let method_name = MethodChoice::Certified;
        let parts = ModelRun {
            file,
            model,
            criterion,
            g: &g,
            method: method_name,
            seed,
            target_cov,
            budget: runs,
        };
        let (certified, _) = parts.record(&method, (made.estimate, made.looked_up))?;
        model.sync()?;
        let values = made.rows.modes(criterion)?;
        let tilt = Tilt::of(values.as_view(), made.rows.sample.ln_w().as_slice(), NOMINAL_SHARE)
            .context("there are too few rows with an outcome")?;
        let mut study = StudyRecord {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model_file: file.absolute_path(),
            levels: masses(&made.rows, values.as_view(), &tilt, None)?,
            rows: weights_of(&made.rows),
            certified,
            flow: None,
        };
        // Rows and record belong together. An interruption of the training leaves both.
        made.rows.save(&folder.rows())?;
        study.save(&folder.record())?;
        model_terminal::print(&study.certified, begin.elapsed().as_secs_f64());
        let failed = study.certified.verdict.status == Status::Failed;
        match self.training {
            Some(training) if !failed => {
                if let Err(error) = self.add_flow(training, &mut study, &made.rows, &values, tilt) {
                    print_note!("no flow was trained: {error:#}");
                    remove(&folder.flow())?;
                }
            }
            training => {
                if training.is_some() {
                    print_note!("no flow is trained: there are too few failures");
                }
                remove(&folder.flow())?;
            }
        }
        study.save(&folder.record())?;
        Ok(study)
    }

    /// Trains the flow, writes it and adds it to the record.
    fn add_flow(
        &self,
        training: Training,
        study: &mut StudyRecord,
        rows: &StudyRows,
        values: &DMatrix<f64>,
        tilt: Tilt,
    ) -> anyhow::Result<()> {
        let (folder, shown) = (self.folder, self.folder.shown().to_string());
        interrupt::set_next(move || {
            format!(
                "the certified estimate is in {shown}; run the same command again to go on with the flow"
            )
        });
        let checkpoint = Checkpoint::new(folder.checkpoint());
        let trained = training.run(rows, values.as_view(), &tilt, self.device, &checkpoint)?;
        let health = Health::examine(&trained.flow, None)?;
        let mut record = trained.record;
        record.provenance = [
            (FEATURES, stored_names(&rows.names.outputs)),
            (checks::CHECKS, checks::result(&health)),
            (TILTED, "its outcomes are tilted; `estimate --study` weighs them".to_owned()),
            ("command", "study".to_owned()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        let failed_checks = checks::failed(&record).map(str::to_owned);
        let effective_rows = record.effective_rows.unwrap_or(f64::NAN);
        let file = FlowFile::new(trained.flow, record);
        file.save(folder.flow())?;
        let flow = EnrichedFlow::new(file, tilt.clone(), self.criterion.clone(), self.seed)?;
        let draws = flow.draws(derive(self.seed, "levels", 0))?;
        study.levels = masses(rows, values.as_view(), &tilt, Some(&draws))?;
        study.flow = Some(FlowRecord { tilt, mass: flow.mass(), effective_rows, failed_checks });
        Ok(())
    }
}

/// A number of things in words.
fn counted(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

/// Refuses a folder that holds another study: its rows would be lost.
fn refuse_other(
    folder: &StudyFolder,
    file: &ModelFile,
    criterion: &FailureCriterion,
) -> anyhow::Result<()> {
    let path = folder.record();
    if !path.exists() {
        return Ok(());
    }
    let earlier = StudyRecord::load(&path)?;
    anyhow::ensure!(
        earlier.certified.model == file.text() && earlier.certified.criterion == criterion.text(),
        "{} is a study of another model or criterion; choose another folder with -o, or ask it about this criterion with \
         `estimate --study {}`",
        folder.shown(),
        folder.shown()
    );
    Ok(())
}

/// Removes the flow of an earlier run.
fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The mean of the weights and its standard error.
fn weights_of(rows: &StudyRows) -> RowsRecord {
    let n = rows.len() as f64;
    let weights = rows.sample.ln_w().map(f64::exp);
    let mean = weights.sum() / n;
    let variance = weights.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / (n - 1.0);
    RowsRecord { rows: rows.len(), mean_weight: mean, standard_error: (variance / n).sqrt() }
}
