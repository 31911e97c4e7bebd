//! `latent-is study`: a certified failure probability of a model, its rows, and a flow that knows the tail.

use std::{fs, path::PathBuf, time::Instant};

use anyhow::Context;
use flow_core::{Checkpoint, FlowFile, Health};
use latent_is::{Certified, Judge, Tilt, rng::derive, verdict::Status};
use nalgebra::DMatrix;
use sim_core::Model;

use crate::{
    commands::{
        criterion_options::CriterionOptions,
        estimate::{
            model::step,
            model_record::{ModelRun, kept},
            model_terminal,
        },
        features::{FEATURES, TILTED, stored_names},
        store_options::StoreOptions,
        study_terminal,
    },
    criterion::FailureCriterion,
    estimation::model_method::MethodChoice,
    models::file::ModelFile,
    output::{
        interrupt,
        outputs::Outputs,
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
    let (record, rows) = (folder.record(), folder.rows());
    let (flow, checkpoint) = (folder.flow(), folder.checkpoint());
    let inputs: Vec<_> = [args.model.as_path()].into_iter().chain(args.criterion.file()).collect();
    let _outputs = Outputs::claim(&inputs, &[&record, &rows, &flow], &[&checkpoint])?;
    let file = ModelFile::read(&args.model)?;
    let model = StoreOptions::in_folder(folder.store(), args.again).open(&file)?;
    let names: Vec<String> = model.outputs().iter().map(|o| o.name().to_owned()).collect();
    let criterion = args.criterion.read_for_model(&names)?.context("there is no criterion")?;
    refuse_other(&folder, &file, &criterion)?;
    let method = Certified::builder()
        .budget(args.runs)
        .target_cov(Some(args.target_cov))
        .build()
        .context("--runs or --target-cov")?;
    let g = ModelRun::limit_state(&file, &model, &criterion, args.seed)?;
    print_note!(
        "{}: {} random inputs, {} regions of the criterion",
        model.name(),
        model.inputs().latent_dim(),
        Judge::modes(&criterion)
    );

    let begin = Instant::now();
    let made = certify(&method, (&g, args.runs), args.seed, step)
        .with_context(|| format!("the study stopped ({})", kept(&model)))?;
    let parts = ModelRun {
        file: &file,
        model: &model,
        criterion: &criterion,
        g: &g,
        method: MethodChoice::Certified,
        seed: args.seed,
        target_cov: args.target_cov,
        budget: args.runs,
    };
    let (certified, _) = parts.record(&method, (made.estimate, made.looked_up))?;
    model.sync()?;
    made.rows.save(&rows)?;
    let values = made.rows.modes(&criterion)?;
    let tilt = Tilt::of(values.as_view(), made.rows.sample.ln_w().as_slice(), NOMINAL_SHARE)
        .context("there are too few rows with an outcome")?;
    let mut study = StudyRecord {
        format: FORMAT.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model_file: std::path::absolute(&args.model)?,
        levels: masses(&made.rows, values.as_view(), &tilt, None)?,
        rows: weights_of(&made.rows),
        certified,
        flow: None,
    };
    // An interruption of the training leaves what is certain.
    study.save(&record)?;
    model_terminal::print(&study.certified, begin.elapsed().as_secs_f64());
    if args.no_flow {
        remove(&flow)?;
    } else if study.certified.verdict.status == Status::Failed {
        print_note!("no flow is trained: there are too few failures");
        remove(&flow)?;
    } else if let Err(error) =
        add_flow(args, &mut study, &made.rows, &values, tilt, &criterion, &folder, &device)
    {
        print_note!("no flow was trained: {error:#}");
        remove(&flow)?;
    }
    study.save(&record)?;
    study_terminal::print(&study);
    print_line!("study written to {}", folder.shown());
    Ok(study.certified.verdict.status)
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
fn remove(path: &std::path::Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
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

/// Trains the flow, writes it and adds it to the record.
#[expect(clippy::too_many_arguments, reason = "all parts of a study meet here")]
fn add_flow(
    args: &Args,
    study: &mut StudyRecord,
    rows: &StudyRows,
    values: &DMatrix<f64>,
    tilt: Tilt,
    criterion: &FailureCriterion,
    folder: &StudyFolder,
    device: &flow_core::Device,
) -> anyhow::Result<()> {
    let shown = folder.shown().to_string();
    interrupt::set_next(move || {
        format!(
            "the certified estimate is in {shown}; run the same command again to go on with the flow"
        )
    });
    let (hidden, steps, epochs, seed) = (args.hidden, args.steps, args.epochs, args.seed);
    let training = Training { hidden, steps, epochs, seed };
    let checkpoint = Checkpoint::new(folder.checkpoint());
    let trained = training.run(rows, values.as_view(), &tilt, device, &checkpoint)?;
    let health = Health::examine(&trained.flow, None)?;
    let mut train_record = trained.record;
    train_record.provenance = [
        (FEATURES, stored_names(&rows.names.outputs)),
        (checks::CHECKS, checks::result(&health)),
        (TILTED, "its outcomes are tilted; `estimate --study` weighs them".to_owned()),
        ("command", "study".to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let failed_checks = checks::failed(&train_record).map(str::to_owned);
    let effective_rows = train_record.effective_rows.unwrap_or(f64::NAN);
    let file = FlowFile::new(trained.flow, train_record);
    file.save(folder.flow())?;
    let flow = EnrichedFlow::new(file, tilt.clone(), criterion.clone(), args.seed)?;
    let draws = flow.draws(derive(args.seed, "levels", 0))?;
    study.levels = masses(rows, values.as_view(), &tilt, Some(&draws))?;
    study.flow = Some(FlowRecord { tilt, mass: flow.mass(), effective_rows, failed_checks });
    Ok(())
}
