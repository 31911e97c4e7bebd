//! The failure probability of a model: the simulator itself is run, without a flow in between.

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::Context;
use latent_is::{Budget, Run, StandardNormal, verdict::Status};
use sim_core::Model;

use crate::{
    commands::estimate::{
        Args, claim,
        model_levels::Levels,
        model_record::{ModelRun, kept},
        model_terminal,
    },
    estimation::model_method::MethodChoice,
    models::file::ModelFile,
    outcomes::Format,
    output::{
        file,
        progress::TaskProgress,
        terminal::{print_line, print_note},
    },
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
    let g = ModelRun::limit_state(&file, &model, &criterion, args.seed)?;
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
    let outcome = outcome.with_context(|| format!("the run stopped ({})", kept(&model)))?;
    let Some(estimate) = outcome.estimate else {
        print_line!(
            "A budget of {budget} evaluations is too small for an estimate ({}). Raise --budget and run the command \
             again.",
            kept(&model)
        );
        return Ok(Status::Failed);
    };
    let parts = ModelRun {
        file: &file,
        model: &model,
        criterion: &criterion,
        g: &g,
        method,
        seed: args.seed,
        target_cov,
        budget,
    };
    let (record, failures) = parts.record(estimator.as_ref(), (estimate, model.looked_up()))?;
    let seconds = begin.elapsed().as_secs_f64();
    if let Some(path) = &args.samples {
        failures.write(path)?;
    }
    model.sync()?;
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
    Ok(record.verdict.status)
}
