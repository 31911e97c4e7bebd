//! `latent-is estimate`: the probability of a failure criterion under a flow, or of a model.

mod failures;
mod judgement;
mod model;
mod model_failures;
pub(super) mod model_levels;
mod model_missing;
pub(super) mod model_record;
pub(super) mod model_terminal;
mod of_study;
mod source;
mod terminal;

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context;
use flow_core::Flow;
use latent_is::{
    Ensemble, Estimate, FinalStage, FlowTransport, Interval, LimitState, StandardNormal, Transport,
    Units,
    latent::{ComposedLimitState, PushForward},
    rng::derive,
    verdict::Status,
};

use crate::{
    commands::{
        criterion_options::CriterionOptions,
        estimate::{
            failures::Failures,
            judgement::{OUTCOMES_CONFIDENCE, judge},
            source::FlowSource,
        },
        features::outcomes_for,
        store_options::StoreOptions,
    },
    estimation::{
        agreement::Agreement,
        flow_model::{CompletedLimitState, FlowModel},
        method::{MethodKind, Space},
        model_method::MethodChoice,
        support::support_of,
    },
    outcomes::{Format, options::ReadOptions},
    output::{file, outputs::Outputs, terminal::print_line},
    report::estimate::{EstimateRecord, FORMAT_VERSION},
    study::folder::StudyFolder,
    training::checks,
};

/// Largest number of draws and of failures in the record.
const RECORDED: usize = 1_000;
/// Confidence of the interval.
const CONFIDENCE: f64 = 0.95;
/// Target of the coefficient of variation for the members of an ensemble, unless a larger one is asked for.
const MEMBER_COV: f64 = 0.1;

/// Target of the coefficient of variation under a flow, and of a model.
const TARGET_COV: [f64; 2] = [0.03, 0.1];
/// Budget of evaluations under a flow, and of a model.
const BUDGET: [u64; 2] = [200_000, 20_000];

/// Estimates the probability of a failure criterion: that of a simulator, or under a flow.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// File of the flow.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["system", "model", "study"])]
    flow: Option<PathBuf>,
    /// Use the shipped flow of this system instead: robot, racecar or f16.
    #[arg(long, conflicts_with = "flow")]
    system: Option<String>,
    /// Run this simulator, a model file in TOML, instead of a flow.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["flow", "system", "data", "space", "device"])]
    model: Option<PathBuf>,
    /// Take the rows and the flow of this study, a folder that `study` wrote, for another criterion.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["flow", "system", "model", "data", "space", "method", "samples"]
    )]
    study: Option<PathBuf>,
    /// Ask the model of the study again, with at most this number of runs.
    #[arg(long, value_name = "N", requires = "study", conflicts_with_all = ["budget", "device"])]
    runs: Option<u64>,
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    criterion: CriterionOptions,
    /// Outcomes to compare the flow with, instead of those in its file: .csv, .parquet, .arrow, .npy or .npz.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The estimator. Without it: adaptive, and for a model with more than 30 random inputs certified from a budget
    /// of 50000 on, subset below.
    #[arg(long)]
    method: Option<MethodChoice>,
    /// The space in which the estimator works.
    #[arg(long, default_value = "latent")]
    space: Space,
    /// Seed. The same seed gives the same results.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Target of the coefficient of variation [default: 0.03 under a flow, 0.1 for a model].
    #[arg(long)]
    target_cov: Option<f64>,
    /// Largest number of evaluations, including the search [default: 200000 under a flow, 20000 for a
    /// model].
    #[arg(long)]
    budget: Option<u64>,
    /// Write the estimate with all inputs to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the sampled failures to this file, with their weights in the last column: .csv,
    /// .parquet, .arrow or .npy. Those of a model have inputs and seed, and `replay` runs them again.
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    /// Device that computes the flow.
    #[arg(long, default_value = flow_core::DEVICES[0])]
    device: String,
    #[command(flatten)]
    read: ReadOptions,
}

/// Runs the command and returns the status of the verdict.
///
/// # Errors
/// When a file or an argument is invalid, or the estimator fails.
pub fn run(args: &Args) -> anyhow::Result<Status> {
    args.criterion.required()?;
    if let Some(path) = &args.study {
        args.store.refuse()?;
        return of_study::run(args, path);
    }
    let Some(path) = &args.model else {
        args.store.refuse()?;
        return of_flow(args);
    };
    let [_, target_cov] = TARGET_COV;
    let [_, budget] = BUDGET;
    let target_cov = args.target_cov.unwrap_or(target_cov);
    model::run(args, path, target_cov, args.budget.unwrap_or(budget))
}

/// Estimates under a flow.
fn of_flow(args: &Args) -> anyhow::Result<Status> {
    let settings = Settings::of_flow(args)?;
    let device = flow_core::device(&args.device)?;
    if let Some(path) = &args.samples {
        Format::to_write(path)?;
    }
    let _outputs = claim(args)?;
    let source = FlowSource::load(args.flow.as_deref(), args.system.as_deref(), &device)?;
    source.suits(args.space)?;
    let FlowSource { file, names, origin } = source;
    let failed_checks = checks::failed(&file.record).map(str::to_owned);
    let provenance = file.record.provenance;
    let transport = FlowTransport::new(file.flow, Units::Standardised);
    let model = FlowModel { transport, completion: file.completion };
    let criterion =
        args.criterion.read(&names, model.moments())?.context("there is no criterion")?;
    let data = match (&args.data, file.rows) {
        (Some(path), _) => Some(outcomes_for(path, &names, &args.read)?.x),
        (None, rows) => rows,
    };
    let data = data.map(|x| model.moments().apply(x.as_view()));

    let begin = Instant::now();
    let g = model.limit_state(&criterion);
    let estimate = estimate(args, &settings, settings.target_cov, &g, &model.transport, args.seed)?;
    let ensemble = ensemble(args, &settings, file.members, &g)?;
    let seconds = begin.elapsed().as_secs_f64();
    let interval = estimate.interval(CONFIDENCE);
    let interval_of_flow = ensemble.as_ref().map(|e| e.interval(estimate.ln_pf, CONFIDENCE));
    let (agreement, support, interval_of_outcomes) = match &data {
        Some(x_std) => {
            let g = criterion.evaluate(x_std.as_view())?;
            let agreement = Agreement::new(&criterion, g.as_slice(), &model, &estimate, args.seed)?;
            let support = support_of(g.as_slice(), OUTCOMES_CONFIDENCE)?;
            let outcomes = support_of(g.as_slice(), CONFIDENCE)?.interval;
            (Some(agreement), Some(support), Some(outcomes))
        }
        None => (None, None, None),
    };
    let further: Vec<Interval> =
        [interval_of_flow, interval_of_outcomes].into_iter().flatten().collect();
    let interval_of_all = (!further.is_empty())
        .then(|| further.iter().fold(interval, |hull, interval| hull.hull(interval)));
    let verdict = judge(
        &estimate,
        ensemble.as_ref(),
        agreement.as_ref(),
        support.as_ref(),
        failed_checks.is_none(),
    );
    let (status, sentence) = (verdict.status, verdict.to_string());
    let failures = Failures::of(&estimate, &model, args.space)?;
    if let Some(path) = &args.samples {
        failures.write(path, &names)?;
    }
    let draws = model.transport.flow().standardised().sample(RECORDED, args.seed)?;
    let draws = model.moments().undo(model.complete(draws)?.as_view());
    let record = EstimateRecord {
        format_version: FORMAT_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        flow: origin,
        provenance,
        criterion: criterion.text().to_owned(),
        method: settings.method,
        space: args.space,
        seed: args.seed,
        target_cov: settings.target_cov,
        budget: settings.budget,
        probability: estimate.pf(),
        interval,
        verdict,
        sentence,
        features: names,
        mean: model.moments().mean().to_vec(),
        sd: model.moments().sd().to_vec(),
        draws: failures::rows(&draws, RECORDED),
        failures: failures.rows(RECORDED),
        agreement,
        support,
        ensemble,
        interval_of_flow,
        interval_of_outcomes,
        interval_of_all,
        estimate,
    };
    if let Some(path) = &args.json {
        file::write(path, serde_json::to_string_pretty(&record)?)?;
    }
    // All files are written: a failure of the terminal loses nothing.
    terminal::print_estimate(&record, seconds);
    if let Some(checks) = failed_checks {
        print_line!("The checks of the flow after its training {checks}.");
    }
    terminal::print_agreement(&record, args.data.as_deref());
    terminal::print_missing(&criterion);
    if let Some(path) = &args.samples {
        print_line!("{} failures written to {}", failures.len(), path.display());
    }
    if let Some(path) = &args.json {
        print_line!("estimate written to {}", path.display());
    }
    Ok(status)
}

/// Claims the files that the command writes, none of which may be one that it reads.
fn claim(args: &Args) -> anyhow::Result<Outputs> {
    let inputs = [&args.flow, &args.model, &args.data].map(Option::as_deref);
    let study = args.study.as_ref().map(|folder| StudyFolder(folder.clone()).files());
    let study = study.iter().flatten().map(PathBuf::as_path);
    let inputs = inputs.into_iter().chain([args.criterion.file()]).flatten();
    let inputs: Vec<&Path> = inputs.chain(study).collect();
    let outputs = [&args.json, &args.samples].into_iter().flatten();
    let outputs: Vec<&Path> = outputs.map(PathBuf::as_path).collect();
    Outputs::claim(&inputs, &outputs, &[])
}

/// How an estimate under a flow is made.
struct Settings {
    method: MethodKind,
    target_cov: f64,
    budget: u64,
}

impl Settings {
    fn of_flow(args: &Args) -> anyhow::Result<Self> {
        let [target_cov, _] = TARGET_COV;
        let [budget, _] = BUDGET;
        Ok(Self {
            method: args.method.map_or(Ok(MethodKind::Adaptive), MethodChoice::for_flow)?,
            target_cov: args.target_cov.unwrap_or(target_cov),
            budget: args.budget.unwrap_or(budget),
        })
    }
}

/// Runs the estimator.
fn estimate(
    args: &Args,
    settings: &Settings,
    target_cov: f64,
    criterion: &CompletedLimitState<'_>,
    transport: &FlowTransport,
    seed: u64,
) -> anyhow::Result<Estimate> {
    let last =
        FinalStage::builder().target_cov(Some(target_cov)).budget(Some(settings.budget)).build()?;
    let method = settings.method.with(last)?;
    Ok(match args.space {
        Space::Latent => {
            let g = ComposedLimitState::new(criterion, transport)?;
            method.estimate(&StandardNormal::new(transport.dim()), &g, seed)?
        }
        Space::Target => method.estimate(&PushForward::new(transport), criterion, seed)?,
    })
}

/// Estimates under the members of the flow's ensemble. A file without members has none, and one that has a single member
/// because its training was interrupted says nothing.
fn ensemble(
    args: &Args,
    settings: &Settings,
    members: Vec<Flow>,
    criterion: &CompletedLimitState<'_>,
) -> anyhow::Result<Option<Ensemble>> {
    if members.len() < 2 {
        return Ok(None);
    }
    let mut estimates = Vec::with_capacity(members.len());
    for (k, member) in members.into_iter().enumerate() {
        let transport = FlowTransport::new(member, Units::Standardised);
        let target_cov = settings.target_cov.max(MEMBER_COV);
        let seed = derive(args.seed, "member", k as u64);
        estimates.push(estimate(args, settings, target_cov, criterion, &transport, seed)?);
    }
    Ok(Some(Ensemble::of(&estimates)?))
}
