//! The likelihood of the rows that are held out.

use nalgebra::DMatrixView;

use crate::{base::LN_2PI, error::FlowError, flow::Flow, train::data::Data};

/// Nats by which the mean log-likelihood of a flow may be lower than that of independent normal features.
/// A poor flow loses some; one that loses more is the result of steps that were too large.
const SHORTFALL: f64 = 1000.0;

/// Mean log-likelihood of the held-out rows in standardised units; NaN for a flow that has no density
/// because a linear layer has no inverse.
pub(crate) fn held_out_ln_pdf(flow: &Flow, data: &Data) -> Result<f64, FlowError> {
    let Data { features, held_out, .. } = data;
    let z = DMatrixView::from_slice(held_out, *features, held_out.len() / features);
    // The flow in training has no marginal maps yet: its standardised units are those of the chain.
    match flow.standardised().ln_pdf(z) {
        Err(FlowError::Weights(_)) => Ok(f64::NAN),
        values => Ok(values?.mean() + data.ln_det[1]),
    }
}

/// Whether a flow with this mean log-likelihood of the held-out rows can be used: it is finite, and not
/// far lower than that of independent normal features.
pub(crate) fn is_usable(ln_pdf: f64, data: &Data) -> bool {
    let (d, n) = (data.features as f64, data.held_out.len() as f64 / data.features as f64);
    let squares: f64 = data.held_out.iter().map(|v| v * v).sum();
    let ln_pdf = ln_pdf - data.ln_det[1];
    ln_pdf.is_finite() && ln_pdf > -0.5 * (squares / n + d * LN_2PI) - SHORTFALL
}
