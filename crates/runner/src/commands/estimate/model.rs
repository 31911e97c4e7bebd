//! The failure probability of a model: the simulator itself is run, without a flow in between.

use std::{fmt::Write as _, io, path::Path, sync::Arc, time::Instant};

use anyhow::Context;
use latent_is::{
    Budget, ModelLimitState, NanPolicy, Run, StandardNormal,
    run::{Observer, Report},
    verdict::Status,
};
use programs::OnFailure;
use sim_core::{Model, ModelSimulator, rng::derive};

use crate::{
    commands::estimate::{
        Args, CONFIDENCE, RECORDED, claim, model_failures, model_missing, model_terminal,
    },
    estimation::model_method::MethodChoice,
    models::{file::ModelFile, open::OpenModel},
    outcomes::Format,
    output::{
        file,
        progress::TaskProgress,
        terminal::{print_line, print_note},
    },
    report::model_estimate::{FORMAT, ModelEstimateRecord, Uncounted},
};

/// Estimates the failure probability of the model at `path`.
///
/// # Errors
/// When a file or an argument is invalid, the model cannot be run, or the estimator fails.
pub(super) fn run(
    args: &Args,
    path: &Path,
    target_cov: f64,
    budget: u64,
) -> anyhow::Result<Status> {
    if let Some(path) = &args.samples {
        Format::to_write(path)?;
    }
    let _outputs = claim(args)?;
    let file = ModelFile::read(path)?;
    let model = args.store.open(&file)?;
    let names: Vec<String> = model.outputs().iter().map(|o| o.name().to_owned()).collect();
    let criterion = args.criterion.read_for_model(&names)?.context("there is no criterion")?;
    let dim = model.inputs().latent_dim();
    let method = args.method.unwrap_or_else(|| MethodChoice::for_inputs(dim, budget));
    let estimator = method.estimator(dim, target_cov, budget)?;
    let g = ModelLimitState::new(&model, criterion.clone(), args.seed)?
        .with_policy(policy(file.run().on_failure()));
    print_note!("{}: {dim} random inputs, method {method}", model.name());

    let begin = Instant::now();
    let progress = Arc::new(TaskProgress::start(model.name(), budget));
    model.watch(&progress);
    let mut run = Run::new(estimator.as_ref())
        .seed(args.seed)
        .budget(Budget { evaluations: method.hard_stop(budget), ..Budget::default() })
        .observer(Levels(Arc::clone(&progress)));
    let outcome = run.start(&StandardNormal::new(dim), &g);
    drop(run);
    progress.finish();
    let kept = || match model.store() {
        Some(store) => format!("all finished evaluations are in {}", store.folder().display()),
        None => "the model has no store".to_owned(),
    };
    let outcome = outcome.with_context(|| format!("the run stopped ({})", kept()))?;
    let Some(estimate) = outcome.estimate else {
        print_line!(
            "The budget of {budget} evaluations was spent before there was an estimate ({}). Raise --budget \
             and run the command again.",
            kept()
        );
        return Ok(Status::Failed);
    };
    let uncounted: Vec<Uncounted> = g.failures().iter().map(Uncounted::from).collect();
    let missing = if policy(file.run().on_failure()) == NanPolicy::Unknown
        && model_missing::matter(&estimate)
    {
        let parts = (&model, &criterion);
        let missing = model_missing::as_failures(estimator.as_ref(), parts, budget, args.seed);
        // The answer that there is must not be lost with it: it searches where the model crashes.
        missing.unwrap_or_else(|error| {
            print_note!("{}: the second search stopped: {error:#}", model.name());
            None
        })
    } else {
        None
    };
    let seconds = begin.elapsed().as_secs_f64();
    let looked_up = model.looked_up();
    let failures = model_failures::of(&estimate, &g)?;
    if let Some(path) = &args.samples {
        failures.write(path)?;
    }
    model.sync()?;
    let verdict = estimate.verdict();
    let status = verdict.status;
    let record = ModelEstimateRecord {
        format: FORMAT.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name: model.name().to_owned(),
        model: file.text().to_owned(),
        criterion: criterion.text().to_owned(),
        method,
        seed: args.seed,
        target_cov,
        budget,
        probability: estimate.pf(),
        interval: model_missing::widened(estimate.interval(CONFIDENCE), missing.as_ref()),
        sentence: verdict.to_string(),
        verdict,
        looked_up,
        inputs: failures.columns.inputs.clone(),
        outputs: failures.columns.outputs.clone(),
        draws: draws(&model, args.seed)?,
        failures: model_failures::most_likely(&estimate, &failures, RECORDED),
        without_an_outcome: uncounted,
        missing_as_failures: missing,
        counted_as: file.run().on_failure(),
        estimate,
    };
    if let Some(path) = &args.json {
        file::write(path, serde_json::to_string_pretty(&record)?)?;
    }
    // All files are written: a failure of the terminal loses nothing.
    model_terminal::print(&record, seconds);
    if let Some(path) = &args.samples {
        print_line!("{} failures written to {}", failures.seeds.len(), path.display());
    }
    if let Some(path) = &args.json {
        print_line!("estimate written to {}", path.display());
    }
    Ok(status)
}

/// Draws of the inputs.
fn draws(model: &OpenModel, seed: u64) -> anyhow::Result<Vec<Vec<f64>>> {
    let (w, _) = ModelSimulator::new(model).inputs(0, RECORDED, derive(seed, "draws", 0))?;
    Ok(w.column_iter().map(|column| column.iter().copied().collect()).collect())
}

fn policy(on_failure: OnFailure) -> NanPolicy {
    match on_failure {
        OnFailure::Failure => NanPolicy::Failure,
        OnFailure::Abort => NanPolicy::Abort,
        _ => NanPolicy::Unknown,
    }
}

/// One line per level, and what the final draws give so far.
pub(super) struct Levels(pub(super) Arc<TaskProgress>);

impl Observer for Levels {
    fn step(&mut self, report: &Report<'_>) -> io::Result<()> {
        let p = &report.progress;
        let mut line = format!("{} evaluations, {}", p.evaluations, p.phase);
        match (&p.level, p.phase) {
            (Some(level), "search" | "levels") => {
                let _ = write!(
                    line,
                    ", level {}: threshold {:.3e}, {} failures of {}",
                    level.level, level.threshold, level.failures, level.evaluations
                );
            }
            _ => {
                if let (Some(ln_pf), Some(cov)) = (p.ln_pf, p.cov) {
                    let _ = write!(
                        line,
                        ": P = {:.3e} with coefficient of variation {:.1} %",
                        ln_pf.exp(),
                        100.0 * cov
                    );
                }
            }
        }
        self.0.print_line(&line);
        Ok(())
    }
}
