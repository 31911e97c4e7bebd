//! Samples of a model without an outcome: how likely they are or a failure is.
//!
//! Draws of a search for failures weigh only the lost samples that it came near. Where they are many, a
//! search of its own takes them for failures, and its interval bounds the probability from above.

use std::sync::Arc;

use latent_is::{
    Estimate, Estimator, Interval, ModelLimitState, NanPolicy, Reason, Run, StandardNormal,
};
use sim_core::Model;

use crate::{
    commands::estimate::{CONFIDENCE, model_levels::Levels},
    criterion::FailureCriterion,
    models::open::OpenModel,
    output::{progress::TaskProgress, terminal::print_note},
    report::model_estimate::MissingAsFailures,
};

/// Whether lost samples could change the answer.
pub(super) fn matter(estimate: &Estimate) -> bool {
    let changes =
        |reason: &Reason| matches!(reason, Reason::NanEvaluations { .. } | Reason::NanBound { .. });
    estimate.verdict().reasons.iter().any(changes)
}

/// The probability that a sample fails or has no outcome; none where the run has no estimate.
///
/// # Errors
/// When the model cannot be run or the estimator fails.
pub(super) fn as_failures(
    estimator: &dyn Estimator,
    (model, criterion): (&OpenModel, &FailureCriterion),
    budget: u64,
    seed: u64,
) -> anyhow::Result<Option<MissingAsFailures>> {
    print_note!(
        "{}: samples have no outcome; a second search takes them for failures, for the upper end of the interval",
        model.name()
    );
    let g = ModelLimitState::new(model, criterion.clone(), seed)?.with_policy(NanPolicy::Failure);
    let progress = Arc::new(TaskProgress::start(model.name(), budget));
    model.watch(&progress);
    let mut run = Run::new(estimator).seed(seed).observer(Levels(Arc::clone(&progress)));
    let outcome = run.start(&StandardNormal::new(model.inputs().latent_dim()), &g);
    drop(run);
    progress.finish();
    Ok(outcome?.estimate.map(|estimate| MissingAsFailures {
        probability: estimate.pf(),
        interval: estimate.interval(CONFIDENCE),
        evaluations: estimate.counts.evaluations,
    }))
}

/// `interval` up to the end of what `missing` says.
pub(super) fn widened(interval: Interval, missing: Option<&MissingAsFailures>) -> Interval {
    let ln_upper = missing.map_or(f64::NEG_INFINITY, |missing| missing.interval.ln_upper);
    Interval { ln_upper: interval.ln_upper.max(ln_upper), ..interval }
}
