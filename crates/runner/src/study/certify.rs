//! The certified part of a study: the run of the estimator, and its rows.

use std::sync::Arc;

use anyhow::Context;
use latent_is::{
    Certified, Estimate, LimitState, ModelLimitState, StandardNormal, Stepwise,
    method::stepwise::Progress,
};
use sim_core::Model;

use crate::{
    criterion::FailureCriterion,
    models::open::OpenModel,
    output::progress::TaskProgress,
    study::rows::{RowNames, StudyRows},
};

/// A certified estimate and its rows; none where not one row was drawn.
pub(crate) struct Certification {
    /// The estimate; its points are in standard normal space.
    pub(crate) estimate: Estimate,
    /// Evaluations that were looked up in the store.
    pub(crate) looked_up: u64,
    /// The rows.
    pub(crate) rows: StudyRows,
}

/// Runs `method`, which has the budget `budget`, on `g`, whose model keeps its evaluations; `say` puts a step into words.
///
/// # Errors
/// When the model cannot be run.
pub(crate) fn certify(
    method: &Certified,
    (g, budget): (&ModelLimitState<&OpenModel, FailureCriterion>, u64),
    seed: u64,
    say: impl Fn(&Progress) -> String,
) -> anyhow::Result<Certification> {
    let model = *g.model();
    let nominal = StandardNormal::new(g.dim());
    let progress = Arc::new(TaskProgress::start(model.name(), budget));
    model.watch(&progress);
    let mut state = method.init(g.dim());
    while !method.done(&state) {
        state = method.step(&nominal, g, seed, state)?;
        progress.print_line(&say(&method.progress(&state)));
    }
    progress.finish();
    let looked_up = model.looked_up();
    let (u, sample) = method.sample(&state, seed)?;
    let estimate = method.finish(state).context("the budget is too small for any row")?;
    let (inputs, seeds) = g.inputs_and_seeds(u.as_view())?;
    // All of them are in the store.
    let outputs = model.evaluate(inputs.as_view(), &seeds)?.outputs;
    let names = RowNames {
        inputs: model.inputs().names().map(str::to_owned).collect(),
        outputs: model.outputs().iter().map(|output| output.name().to_owned()).collect(),
    };
    let families = estimate.checks.families.unwrap_or(0.0);
    Ok(Certification {
        estimate,
        looked_up,
        rows: StudyRows { names, inputs, seeds, outputs, sample, families },
    })
}
