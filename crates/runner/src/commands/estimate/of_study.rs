//! Another criterion than that of a study: from its rows, from its flow, or with more runs of its model.

use std::{path::Path, time::Instant};

use anyhow::Context;
use comfy_table::Table;
use flow_core::FlowFile;
use latent_is::{Certified, Estimate, Reason, Verdict, scientific, verdict::Status};

use crate::{
    commands::{
        estimate::{
            Args, BUDGET, CONFIDENCE, TARGET_COV, claim,
            model_levels::step,
            model_record::{ModelRun, kept},
            model_terminal,
        },
        store_options::StoreOptions,
    },
    criterion::FailureCriterion,
    estimation::model_method::MethodChoice,
    models::file::ModelFile,
    output::{file, terminal::print_line},
    report::study::{STUDY_ESTIMATE, StudyEstimateRecord, StudyRecord, StudySource},
    study::{certify::certify, enriched::EnrichedFlow, folder::StudyFolder, rows::StudyRows},
};

/// Factor above the interval of the rows from which on a flow contradicts them: it knows an event off the way to the
/// failures of its study only roughly.
const LARGER: f64 = 1.5;
/// Failing rows from which on the rows can contradict the flow.
const ENOUGH: u64 = 10;

/// Estimates the failure probability of another criterion from the study in the folder `path`.
///
/// # Errors
/// When a file or an argument is invalid, or the model or the flow cannot be evaluated.
pub(super) fn run(args: &Args, path: &Path) -> anyhow::Result<Status> {
    let folder = StudyFolder(path.to_owned());
    let study = StudyRecord::load(&folder.record())?;
    let rows = StudyRows::load(&folder.rows())?;
    let criterion =
        args.criterion.read_for_model(&rows.names.outputs)?.context("there is no criterion")?;
    let _outputs = claim(args)?;
    let [_, target_cov] = TARGET_COV;
    let target_cov = args.target_cov.unwrap_or(target_cov);
    if let Some(runs) = args.runs {
        return with_runs(args, &folder, &study, &criterion, (target_cov, runs));
    }
    let begin = Instant::now();
    let (stored, verdict) = rows.estimate(&criterion)?;
    let certified = verdict.status == Status::Converged;
    // A flow that can be trusted sees a region that the rows lack.
    let flow = if certified && !study.doubts().is_empty() {
        None
    } else {
        under_flow(args, &folder, &study, &rows, &criterion)?
    };
    let record = record_of(args, path, &criterion, &study, (stored, verdict, flow));
    if let Some(path) = &args.json {
        file::write(path, serde_json::to_string_pretty(&record)?)?;
    }
    print(&record, rows.unseen(), begin.elapsed().as_secs_f64());
    if let Some(path) = &args.json {
        print_line!("estimate written to {}", path.display());
    }
    Ok(record.verdict.status)
}

/// The estimate under the flow of the study, if it has one.
fn under_flow(
    args: &Args,
    folder: &StudyFolder,
    study: &StudyRecord,
    rows: &StudyRows,
    criterion: &FailureCriterion,
) -> anyhow::Result<Option<Estimate>> {
    let Some(flow) = &study.flow else { return Ok(None) };
    let device = flow_core::device(&args.device)?;
    let file = FlowFile::load(folder.flow(), &device)?;
    let scores = FailureCriterion::parse_for_model(
        study.certified.criterion.clone(),
        "the criterion of the study",
        &rows.names.outputs,
    )?;
    let enriched = EnrichedFlow::with_mass(file, flow.tilt.clone(), scores, flow.mass);
    let ([target_cov, _], [budget, _]) = (TARGET_COV, BUDGET);
    let (target_cov, budget) =
        (args.target_cov.unwrap_or(target_cov), args.budget.unwrap_or(budget));
    enriched.estimate(criterion, target_cov, budget, args.seed).map(Some)
}

/// The record: of the rows where they are enough, otherwise of the flow, which is not certified.
fn record_of(
    args: &Args,
    path: &Path,
    criterion: &FailureCriterion,
    study: &StudyRecord,
    (stored, verdict, flow): (Estimate, Verdict, Option<Estimate>),
) -> StudyEstimateRecord {
    let by_rows = stored.interval(CONFIDENCE);
    let under_flow = flow.as_ref().map(Estimate::pf);
    let certified = verdict.status == Status::Converged;
    let (source, estimate, interval, verdict) = match flow {
        Some(flow) if certified => {
            let own = flow.interval(CONFIDENCE);
            if own.ln_lower > by_rows.ln_upper + LARGER.ln() {
                let doubt = Reason::FlowContradicted { differs: 1, levels: 1 };
                (StudySource::Rows, stored.clone(), own.hull(&by_rows), verdict.with(doubt))
            } else {
                (StudySource::Rows, stored.clone(), by_rows, verdict)
            }
        }
        Some(flow) => {
            let own = flow.interval(CONFIDENCE);
            let interval = if stored.counts.failures > 0 { own.hull(&by_rows) } else { own };
            let verdict = doubted(&flow, &stored, study);
            (StudySource::Flow, flow, interval, verdict)
        }
        None => (StudySource::Rows, stored.clone(), by_rows, verdict),
    };
    StudyEstimateRecord {
        format: STUDY_ESTIMATE.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        study: path.to_owned(),
        criterion: criterion.text().to_owned(),
        seed: args.seed,
        source,
        probability: estimate.pf(),
        interval,
        sentence: verdict.to_string(),
        verdict,
        under_flow,
        by_rows: stored,
        estimate,
    }
}

/// The verdict on an estimate under the flow: it is never certified, and rows or checks may speak against it.
fn doubted(flow: &Estimate, stored: &Estimate, study: &StudyRecord) -> Verdict {
    let (ess, share) = (stored.weights.ess, stored.weights.max_share);
    let mut verdict = flow.verdict().with(Reason::NotCertified { ess, share });
    let (rows, own) = (stored.interval(CONFIDENCE), flow.interval(CONFIDENCE));
    let apart = own.ln_upper < rows.ln_lower || own.ln_lower > rows.ln_upper;
    if stored.counts.failures >= ENOUGH && apart {
        verdict = verdict
            .with(Reason::TailContradicted { ln_lower: rows.ln_lower, ln_upper: rows.ln_upper });
    }
    if !study.doubts().is_empty() {
        verdict = verdict.with(Reason::FlowChecksFailed);
    }
    verdict
}

/// Estimates with at most `runs` runs of the model, of which those in the store are not run again.
fn with_runs(
    args: &Args,
    folder: &StudyFolder,
    study: &StudyRecord,
    criterion: &FailureCriterion,
    (target_cov, runs): (f64, u64),
) -> anyhow::Result<Status> {
    let file = ModelFile::read(&study.model_file)?;
    anyhow::ensure!(
        file.text() == study.certified.model,
        "{} has changed since the study was made; make another one",
        study.model_file.display()
    );
    let model = StoreOptions::in_folder(folder.store(), false).open(&file)?;
    let method = Certified::builder().budget(runs).target_cov(Some(target_cov)).build()?;
    let g = ModelRun::limit_state(&file, &model, criterion, args.seed)?;
    let begin = Instant::now();
    let made = certify(&method, (&g, runs), args.seed, step)
        .with_context(|| format!("the run stopped ({})", kept(&model)))?;
    let parts = ModelRun {
        file: &file,
        model: &model,
        criterion,
        g: &g,
        method: MethodChoice::Certified,
        seed: args.seed,
        target_cov,
        budget: runs,
    };
    let (record, _) = parts.record(&method, (made.estimate, made.looked_up))?;
    model.sync()?;
    if let Some(path) = &args.json {
        file::write(path, serde_json::to_string_pretty(&record)?)?;
    }
    model_terminal::print(&record, begin.elapsed().as_secs_f64());
    if let Some(path) = &args.json {
        print_line!("estimate written to {}", path.display());
    }
    Ok(record.verdict.status)
}

/// Prints the estimate and where it comes from.
fn print(record: &StudyEstimateRecord, unseen: f64, seconds: f64) {
    let mut table = Table::new();
    let mut row = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    let ends = |interval: &latent_is::Interval| {
        [interval.ln_lower, interval.ln_upper].map(|ln| scientific(ln, 4)).join(" to ")
    };
    let from = match record.source {
        StudySource::Rows => "the rows of the study: no new run",
        StudySource::Flow => "the flow of the study: no new run, not certified",
    };
    row("from", from.to_owned());
    row("failure probability", scientific(record.estimate.ln_pf, 4));
    row("95 % interval", ends(&record.interval));
    if record.source == StudySource::Flow {
        let rows = &record.by_rows;
        let interval = ends(&rows.interval(CONFIDENCE));
        row("by the rows alone", format!("{}, {interval}", scientific(rows.ln_pf, 4)));
    }
    if let (StudySource::Rows, Some(p)) = (record.source, record.under_flow) {
        row("under the flow", scientific(p.ln(), 4));
    }
    row("failing rows", record.by_rows.counts.failures.to_string());
    row("their effective sample size", format!("{:.0}", record.by_rows.weights.ess));
    row("time", format!("{seconds:.1} s"));
    print_line!("{table}\n{}", record.sentence);
    print_line!(
        "The study searched for the failures of its own criterion. Ways to fail that no row came near do not show here; together \
         they have at most {}, with a confidence of 95 %. --runs N searches for them: at most N runs of the model, of \
         which those in the store are not run again.",
        scientific(unseen.ln(), 2)
    );
}
