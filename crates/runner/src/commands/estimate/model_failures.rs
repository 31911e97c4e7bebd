//! The sampled failures of a model, with all that is needed to run them again.

use std::sync::Arc;

use latent_is::{Estimate, Judge, ModelLimitState};
use sim_core::Model;

use crate::{
    models::{columns::SampleColumns, open::OpenModel, samples::Samples},
    output::progress::TaskProgress,
    report::model_estimate::RecordedFailure,
};

/// The failures of `estimate`. Their outcomes come from the store, or are evaluated again.
///
/// # Errors
/// When the model cannot be run.
pub(super) fn of<C: Judge>(
    estimate: &Estimate,
    g: &ModelLimitState<&OpenModel, C>,
) -> anyhow::Result<Samples> {
    let model = *g.model();
    let (w, seeds) = g.inputs_and_seeds(estimate.sample.points.as_view())?;
    if model.store().is_none() {
        let label = format!("{}: the failures again, for their outcomes", model.name());
        model.watch(&Arc::new(TaskProgress::start(label, seeds.len() as u64)));
    }
    let outputs = model.evaluate(w.as_view(), &seeds)?.outputs;
    let more = vec![("weight", estimate.sample.ln_w.map(f64::exp))];
    let columns = SampleColumns::of(model);
    Ok(Samples { columns, w, seeds, outputs, more, statuses: None })
}

/// The most likely `n` of `samples`, which are the failures of `estimate`, most likely first.
pub(super) fn most_likely(
    estimate: &Estimate,
    samples: &Samples,
    n: usize,
) -> Vec<RecordedFailure> {
    let points = &estimate.sample.points;
    let distances: Vec<f64> = points.column_iter().map(|u| u.norm()).collect();
    let mut order: Vec<usize> = (0..distances.len()).collect();
    order.sort_by(|a, b| distances[*a].total_cmp(&distances[*b]));
    let failure = |j: usize| RecordedFailure {
        distance: distances[j],
        weight: estimate.sample.ln_w[j].exp(),
        inputs: samples.w.column(j).iter().copied().collect(),
        seed: samples.seeds[j],
        outputs: samples
            .outputs
            .column(j)
            .iter()
            .map(|v| Some(*v).filter(|v| !v.is_nan()))
            .collect(),
    };
    order.into_iter().take(n).map(failure).collect()
}
