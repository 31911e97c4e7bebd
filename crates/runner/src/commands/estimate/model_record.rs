//! The record of an estimate of a model, from what it is made of.

use latent_is::{Estimate, Estimator, ModelLimitState, NanPolicy};
use programs::OnFailure;
use sim_core::{Model, ModelSimulator, rng::derive};

use crate::{
    commands::estimate::{CONFIDENCE, RECORDED, model_failures, model_missing},
    criterion::FailureCriterion,
    estimation::model_method::MethodChoice,
    models::{file::ModelFile, open::OpenModel, samples::Samples},
    output::terminal::print_note,
    report::model_estimate::{FORMAT, ModelEstimateRecord, Uncounted},
};

/// What an estimate of a model is made of.
pub(in crate::commands) struct ModelRun<'a> {
    pub(in crate::commands) file: &'a ModelFile,
    pub(in crate::commands) model: &'a OpenModel,
    pub(in crate::commands) criterion: &'a FailureCriterion,
    pub(in crate::commands) g: &'a ModelLimitState<&'a OpenModel, FailureCriterion>,
    pub(in crate::commands) method: MethodChoice,
    pub(in crate::commands) seed: u64,
    pub(in crate::commands) target_cov: f64,
    pub(in crate::commands) budget: u64,
}

impl<'a> ModelRun<'a> {
    /// The limit state of a criterion on `model`; what its lost samples count as is in its file.
    ///
    /// # Errors
    /// When the model has no random input.
    pub(in crate::commands) fn limit_state(
        file: &ModelFile,
        model: &'a OpenModel,
        criterion: &FailureCriterion,
        seed: u64,
    ) -> anyhow::Result<ModelLimitState<&'a OpenModel, FailureCriterion>> {
        Ok(ModelLimitState::new(model, criterion.clone(), seed)?.with_policy(policy(file)))
    }

    /// The record of `estimate`, which `estimator` made while `looked_up` evaluations came from the store, and its
    /// failures. Where lost samples could change the answer,
    /// a second search takes them for failures.
    ///
    /// # Errors
    /// When the model cannot be run.
    pub(in crate::commands) fn record(
        &self,
        estimator: &dyn Estimator,
        (estimate, looked_up): (Estimate, u64),
    ) -> anyhow::Result<(ModelEstimateRecord, Samples)> {
        let Self { file, model, criterion, g, .. } = self;
        let uncounted: Vec<Uncounted> = g.failures().iter().map(Uncounted::from).collect();
        let missing = if policy(file) == NanPolicy::Unknown && model_missing::matter(&estimate) {
            let parts = (*model, *criterion);
            let missing = model_missing::as_failures(estimator, parts, self.budget, self.seed);
            // The answer that there is must not be lost with it: it searches where the model crashes.
            missing.unwrap_or_else(|error| {
                print_note!("{}: the second search stopped: {error:#}", model.name());
                None
            })
        } else {
            None
        };
        let failures = model_failures::of(&estimate, g)?;
        let verdict = estimate.verdict();
        let record = ModelEstimateRecord {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: model.name().to_owned(),
            model: file.text().to_owned(),
            criterion: criterion.text().to_owned(),
            method: self.method,
            seed: self.seed,
            target_cov: self.target_cov,
            budget: self.budget,
            probability: estimate.pf(),
            interval: model_missing::widened(estimate.interval(CONFIDENCE), missing.as_ref()),
            sentence: verdict.to_string(),
            verdict,
            looked_up,
            inputs: failures.columns.inputs.clone(),
            outputs: failures.columns.outputs.clone(),
            draws: draws(model, self.seed)?,
            failures: model_failures::most_likely(&estimate, &failures, RECORDED),
            without_an_outcome: uncounted,
            missing_as_failures: missing,
            counted_as: file.run().on_failure(),
            estimate,
        };
        Ok((record, failures))
    }
}

/// Draws of the inputs.
fn draws(model: &OpenModel, seed: u64) -> anyhow::Result<Vec<Vec<f64>>> {
    let (w, _) = ModelSimulator::new(model).inputs(0, RECORDED, derive(seed, "draws", 0))?;
    Ok(w.column_iter().map(|column| column.iter().copied().collect()).collect())
}

/// Where the evaluations of `model` are, for messages of what did not finish.
pub(in crate::commands) fn kept(model: &OpenModel) -> String {
    match model.store() {
        Some(store) => format!("all finished evaluations are in {}", store.folder().display()),
        None => "the model has no store".to_owned(),
    }
}

fn policy(file: &ModelFile) -> NanPolicy {
    match file.run().on_failure() {
        OnFailure::Failure => NanPolicy::Failure,
        OnFailure::Abort => NanPolicy::Abort,
        _ => NanPolicy::Unknown,
    }
}
