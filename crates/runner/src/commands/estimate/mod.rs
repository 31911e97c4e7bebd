//! `latent-is estimate`: the probability of a failure criterion under a flow.

mod failures;
mod source;
mod terminal;

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use latent_is::{
    Estimate, FinalStage, FlowTransport, LimitState, StandardNormal, Support, Transport, Units,
    latent::{ComposedLimitState, PushForward},
    verdict::{Reason, Status},
};

use crate::{
    commands::{
        estimate::{failures::Failures, source::FlowSource},
        features::outcomes_for,
    },
    criterion::FailureCriterion,
    estimation::{
        agreement::Agreement,
        method::{MethodKind, Space},
    },
    outcomes::{Format, options::ReadOptions},
    output::{file, outputs::Outputs, terminal::print_line},
    report::estimate::{EstimateRecord, FORMAT_VERSION},
    training::checks,
};

/// Largest number of draws and of failures in the record.
const RECORDED: usize = 1_000;
/// Confidence of the interval.
const CONFIDENCE: f64 = 0.95;
/// Confidence of the intervals from the outcomes alone and from the flow that must overlap.
const OUTCOMES_CONFIDENCE: f64 = 0.99;

/// Estimates the probability of a failure criterion under a flow.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// File of the flow.
    #[arg(long, value_name = "FILE", required_unless_present = "system")]
    flow: Option<PathBuf>,
    /// Use the shipped flow of this system instead: robot, racecar or f16.
    #[arg(long, conflicts_with = "flow")]
    system: Option<String>,
    /// The failure criterion in TOML: half-spaces, boxes and ellipsoids on named features.
    #[arg(long, value_name = "FILE")]
    criterion: PathBuf,
    /// Outcomes to compare the flow with, instead of those in its file: .csv, .parquet, .arrow, .npy or .npz.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The estimator.
    #[arg(long, default_value = "adaptive")]
    method: MethodKind,
    /// The space in which the estimator works.
    #[arg(long, default_value = "latent")]
    space: Space,
    /// Seed. The same seed gives the same results.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Target of the coefficient of variation.
    #[arg(long, default_value_t = 0.03)]
    target_cov: f64,
    /// Largest number of evaluations of the criterion, including the search.
    #[arg(long, default_value_t = 200_000)]
    budget: u64,
    /// Write the estimate with all inputs to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the sampled failures to this file, with their weights in the last column: .csv,
    /// .parquet, .arrow or .npy.
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
    let device = flow_core::device(&args.device)?;
    if let Some(path) = &args.samples {
        Format::to_write(path)?;
    }
    let inputs = [args.flow.as_ref(), Some(&args.criterion), args.data.as_ref()];
    let inputs: Vec<&Path> = inputs.into_iter().flatten().map(PathBuf::as_path).collect();
    let outputs = [&args.json, &args.samples].into_iter().flatten();
    let outputs: Vec<&Path> = outputs.map(PathBuf::as_path).collect();
    let _outputs = Outputs::claim(&inputs, &outputs, &[])?;
    let source = FlowSource::load(args.flow.as_deref(), args.system.as_deref(), &device)?;
    let FlowSource { file, names, origin } = source;
    let moments = file.flow.standardise();
    let criterion = FailureCriterion::read(&args.criterion, &names, moments)?;
    let data = match (&args.data, file.rows) {
        (Some(path), _) => Some(outcomes_for(path, &names, &args.read)?.x),
        (None, rows) => rows,
    };
    let data = data.map(|x| moments.apply(x.as_view()));
    let failed_checks = checks::failed(&file.record).map(str::to_owned);
    let provenance = file.record.provenance;
    let transport = FlowTransport::new(file.flow, Units::Standardised);

    let begin = Instant::now();
    let estimate = estimate(args, &criterion, &transport)?;
    let seconds = begin.elapsed().as_secs_f64();
    let interval = estimate.interval(CONFIDENCE);
    let (agreement, support, interval_with_outcomes) = match &data {
        Some(x_std) => {
            let agreement = Agreement::new(&criterion, x_std, &transport, &estimate, args.seed)?;
            let g = criterion.evaluate(x_std.as_view())?;
            let support = Support::of(g.as_slice(), OUTCOMES_CONFIDENCE)?;
            let outcomes = Support::of(g.as_slice(), CONFIDENCE)?.interval;
            (Some(agreement), Some(support), Some(outcomes.hull(&interval)))
        }
        None => (None, None, None),
    };
    let mut verdict = estimate.verdict();
    if let Some(reason) = agreement.as_ref().and_then(Agreement::reason) {
        verdict = verdict.with(reason);
    }
    verdict = match &support {
        // Whether the outcomes contradict a supported event is seen in the levels.
        Some(support) if support.is_supported() => verdict,
        Some(support) => {
            let own = estimate.interval(OUTCOMES_CONFIDENCE);
            support
                .reason(estimate.ln_pf, &own)
                .map_or(verdict.clone(), |reason| verdict.with(reason))
        }
        None => verdict.with(Reason::NoOutcomes),
    };
    if failed_checks.is_some() {
        verdict = verdict.with(Reason::FlowChecksFailed);
    }
    let (status, sentence) = (verdict.status, verdict.to_string());
    let failures = Failures::of(&estimate, &transport, args.space)?;
    if let Some(path) = &args.samples {
        failures.write(path, &names)?;
    }
    let flow = transport.flow();
    let record = EstimateRecord {
        format_version: FORMAT_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        flow: origin,
        provenance,
        criterion: criterion.text().to_owned(),
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
        draws: failures::rows(&flow.sample(RECORDED, args.seed)?, RECORDED),
        failures: failures.rows(RECORDED),
        agreement,
        support,
        interval_with_outcomes,
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
    if let Some(path) = &args.samples {
        print_line!("{} failures written to {}", failures.len(), path.display());
    }
    if let Some(path) = &args.json {
        print_line!("estimate written to {}", path.display());
    }
    Ok(status)
}

/// Runs the estimator.
fn estimate(
    args: &Args,
    criterion: &FailureCriterion,
    transport: &FlowTransport,
) -> anyhow::Result<Estimate> {
    let last = FinalStage::builder()
        .target_cov(Some(args.target_cov))
        .budget(Some(args.budget))
        .build()?;
    let method = args.method.with(last)?;
    Ok(match args.space {
        Space::Latent => {
            let g = ComposedLimitState::new(criterion, transport)?;
            method.estimate(&StandardNormal::new(transport.dim()), &g, args.seed)?
        }
        Space::Target => method.estimate(&PushForward::new(transport), criterion, args.seed)?,
    })
}
