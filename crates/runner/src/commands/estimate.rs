//! `latent-is estimate`: the probability of a failure criterion under a flow.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context;
use flow_core::{Device, FlowFile};
use latent_is::{
    Estimate, FinalStage, FlowTransport, Interval, StandardNormal, Transport, Units, Verdict,
    latent::{ComposedLimitState, PushForward},
    verdict::Status,
};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{WEIGHT, feature_names, outcomes_of};
use crate::{
    agreement::Agreement,
    criterion::Criterion,
    files,
    outcomes::{self, Format},
    reproduce::{Method as Search, Space},
    system::System,
};

/// Draws and failures that `--json` keeps in the units of the data, at most.
const SHOWN: usize = 1_000;
/// What no estimate under a flow tells.
pub const CAVEAT: &str =
    "The interval is about the flow's probability; how far the flow is from its data is not in it.";
/// Confidence of the interval.
const CONFIDENCE: f64 = 0.95;

/// Estimates the probability of a failure criterion.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The flow.
    #[arg(long, value_name = "FILE", required_unless_present = "system")]
    flow: Option<PathBuf>,
    /// The shipped flow of a system instead: robot, racecar or f16.
    #[arg(long, conflicts_with = "flow")]
    system: Option<String>,
    /// The failure criterion: half-spaces, boxes and ellipsoids on named features, as TOML.
    #[arg(long, value_name = "FILE")]
    criterion: PathBuf,
    /// Outcomes that the flow stands for, to compare both on the way to failure.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The search.
    #[arg(long, default_value = "adaptive")]
    method: Search,
    /// Where it takes place.
    #[arg(long, default_value = "latent")]
    space: Space,
    /// Seed; the same seed gives the same figures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Coefficient of variation to reach.
    #[arg(long, default_value_t = 0.03)]
    target_cov: f64,
    /// Evaluations in all, search included.
    #[arg(long, default_value_t = 200_000)]
    budget: u64,
    /// Write everything as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the failures that were drawn, with their weights in the last column: .npy, .csv or
    /// .parquet.
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    /// Where the flow computes.
    #[arg(long, default_value = flow_core::DEVICES[0])]
    device: String,
}

/// What `--json` holds and `report` reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Version of this program.
    pub version: String,
    /// Where the flow comes from.
    pub flow: String,
    /// How it came to be.
    pub provenance: BTreeMap<String, String>,
    /// The criterion, as its file has it.
    pub criterion: String,
    /// The search.
    pub method: Search,
    /// Where it took place.
    pub space: Space,
    /// Its seed.
    pub seed: u64,
    /// Coefficient of variation it was to reach.
    pub target_cov: f64,
    /// Evaluations it might spend.
    pub budget: u64,
    /// The estimate.
    pub probability: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// What speaks against it.
    pub verdict: Verdict,
    /// The same in a sentence.
    pub sentence: String,
    /// Names of the features.
    pub features: Vec<String>,
    /// Their means in the training data.
    pub mean: Vec<f64>,
    /// Their standard deviations.
    pub sd: Vec<f64>,
    /// Some draws of the flow, in the units of the data.
    pub draws: Vec<Vec<f64>>,
    /// Some of the failures found, likewise.
    pub failures: Vec<Vec<f64>>,
    /// The flow beside outcomes, where there were any.
    #[serde(default)]
    pub agreement: Option<Agreement>,
    /// The estimate with all that belongs to it; its points are in the space of the search.
    pub estimate: Estimate,
}

/// Runs the command; the status of the verdict.
///
/// # Errors
/// When a file or an option cannot be used, or the estimator fails.
pub fn run(args: &Args) -> anyhow::Result<Status> {
    let device = flow_core::device(&args.device)?;
    if let Some(path) = &args.samples {
        Format::of(path)?;
    }
    let (file, names, origin) = flow(args, &device)?;
    let criterion = Criterion::read(&args.criterion, &names, file.flow.standardise())?;
    let outcomes = match &args.data {
        Some(path) => Some(file.flow.standardise().apply(outcomes_of(path, &names)?.x.as_view())),
        None => None,
    };
    let provenance = file.record.provenance;
    let transport = FlowTransport::new(file.flow, Units::Standardised);
    let last = FinalStage::builder()
        .target_cov(Some(args.target_cov))
        .budget(Some(args.budget))
        .build()?;
    let method = args.method.with(last)?;
    let begin = std::time::Instant::now();
    let estimate = match args.space {
        Space::Latent => {
            let g = ComposedLimitState::new(&criterion, &transport)?;
            method.estimate(&StandardNormal::new(transport.dim()), &g, args.seed)?
        }
        Space::Target => method.estimate(&PushForward::new(&transport), &criterion, args.seed)?,
    };
    let seconds = begin.elapsed().as_secs_f64();
    let agreement = match &outcomes {
        Some(z) => Some(Agreement::new(&criterion, z, &transport, &estimate, args.seed)?),
        None => None,
    };
    let (interval, mut verdict) = (estimate.interval(CONFIDENCE), estimate.verdict());
    if let Some(reason) = agreement.as_ref().and_then(Agreement::reason) {
        verdict = verdict.with(reason);
    }
    let (status, sentence) = (verdict.status, verdict.to_string());
    show(&estimate, &interval, &sentence, &origin, seconds);
    show_agreement(agreement.as_ref());
    let x = failures(&estimate, &transport, args.space)?;
    if let Some(path) = &args.samples {
        write_samples(path, &estimate, &x, names.clone())?;
        println!("{} failures written to {}", x.ncols(), path.display());
    }
    if let Some(path) = &args.json {
        let text = std::fs::read_to_string(&args.criterion)
            .with_context(|| format!("cannot read {}", args.criterion.display()))?;
        let flow = transport.flow();
        let draws = flow.sample(SHOWN, args.seed)?;
        let report = Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            flow: origin,
            provenance,
            criterion: text,
            method: args.method,
            space: args.space,
            seed: args.seed,
            target_cov: args.target_cov,
            budget: args.budget,
            probability: estimate.pf(),
            interval,
            verdict,
            sentence,
            features: names,
            mean: flow.standardise().mean().to_vec(),
            sd: flow.standardise().sd().to_vec(),
            draws: rows(&draws),
            failures: rows(&x),
            agreement,
            estimate,
        };
        files::write(path, &serde_json::to_string_pretty(&report)?)?;
        println!("written to {}", path.display());
    }
    Ok(status)
}

/// The flow, the names of its features and where it comes from.
fn flow(args: &Args, device: &Device) -> anyhow::Result<(FlowFile, Vec<String>, String)> {
    if let Some(path) = &args.flow {
        let file = FlowFile::load(path, device)?;
        let names = feature_names(&file);
        return Ok((file, names, path.display().to_string()));
    }
    let name = args.system.as_deref().unwrap_or_default();
    let system = System::by_name(name)?;
    let names = system.simulator().features().iter().map(|f| f.name().to_owned()).collect();
    Ok((system.shipped_flow(device)?, names, format!("shipped flow of {name}")))
}

fn show(estimate: &Estimate, interval: &Interval, sentence: &str, origin: &str, seconds: f64) {
    let mut table = comfy_table::Table::new();
    let mut row = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    row("flow", origin.to_owned());
    row("failure probability", format!("{:.4e}", estimate.pf()));
    row("95 % interval", format!("{:.4e} to {:.4e}", interval.lower(), interval.upper()));
    row("coefficient of variation", format!("{:.1} %", 100.0 * estimate.cov));
    row("evaluations", estimate.counts.evaluations.to_string());
    row("failures drawn", format!("{} of {}", estimate.counts.failures, estimate.counts.draws));
    row("effective sample size", format!("{:.0}", estimate.weights.ess));
    if let Some(k) = estimate.weights.pareto_k {
        row("Pareto k of the weights", format!("{k:.2}"));
    }
    row("time", format!("{seconds:.1} s"));
    println!("{table}\n{sentence}");
}

fn show_agreement(agreement: Option<&Agreement>) {
    println!("{CAVEAT}");
    match agreement {
        Some(agreement) => {
            let mut table = comfy_table::Table::new();
            table.set_header(Agreement::HEAD).add_rows(agreement.rows());
            println!("{table}\n{}", agreement.sentence());
        }
        None => {
            println!("With --data FILE outcomes are compared with the flow on the way to failure.");
        }
    }
}

/// The failures drawn, in the units of the data, `[d, m]`.
fn failures(
    estimate: &Estimate,
    transport: &FlowTransport,
    space: Space,
) -> anyhow::Result<DMatrix<f64>> {
    let points = &estimate.sample.points;
    let z = match space {
        Space::Latent => transport.decode_points(points.as_view())?,
        Space::Target => points.clone(),
    };
    Ok(transport.flow().standardise().undo(z.as_view()))
}

/// The first columns of `x`, as rows.
fn rows(x: &DMatrix<f64>) -> Vec<Vec<f64>> {
    x.column_iter().take(SHOWN).map(|x| x.iter().copied().collect()).collect()
}

/// Writes failures `x`, `[d, m]`, with their weights in the last column.
fn write_samples(
    path: &Path,
    estimate: &Estimate,
    x: &DMatrix<f64>,
    mut names: Vec<String>,
) -> anyhow::Result<()> {
    let mut rows = x.clone().insert_row(x.nrows(), 0.0);
    rows.row_mut(x.nrows()).copy_from(&estimate.sample.ln_w.map(f64::exp).transpose());
    names.push(WEIGHT.to_owned());
    outcomes::write_named(path, Format::of(path)?, &names, &rows)
}
