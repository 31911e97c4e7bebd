//! The sampled failures of a model, with all that is needed to run them again.

use latent_is::{Estimate, Judge, ModelLimitState};
use sim_core::Model;

use crate::models::{columns::SampleColumns, open::OpenModel, samples::Samples};

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
    let outputs = model.evaluate(w.as_view(), &seeds)?.outputs;
    let weights = Some(estimate.sample.ln_w.map(f64::exp));
    let columns = SampleColumns::of(model);
    Ok(Samples { columns, w, seeds, outputs, weights, statuses: None })
}
