//! The likelihood of the rows that are held out: a weighted mean, if they have weights.

use nalgebra::DMatrixView;

use crate::{
    base::LN_2PI,
    error::FlowError,
    flow::Flow,
    train::{data::Data, row_weights::weighted_mean},
};

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
        values => {
            let values = values?;
            let mean = match &data.weights {
                None => values.mean(),
                Some([_, weights]) => {
                    weighted_mean(weights.iter().copied().zip(values.iter().copied()))
                }
            };
            Ok(mean + data.ln_det[1])
        }
    }
}

/// Whether a flow with this mean log-likelihood of the held-out rows can be used: it is finite, and not
/// far lower than that of independent normal features.
pub(crate) fn is_usable(ln_pdf: f64, data: &Data) -> bool {
    let d = data.features as f64;
    let squares = match &data.weights {
        None => data.held_out.iter().map(|v| v * v).sum::<f64>() / (data.held_out.len() as f64 / d),
        Some([_, weights]) => {
            let rows = data.held_out.chunks_exact(data.features);
            let squares = rows.map(|row| row.iter().map(|v| v * v).sum());
            weighted_mean(weights.iter().copied().zip(squares))
        }
    };
    let ln_pdf = ln_pdf - data.ln_det[1];
    ln_pdf.is_finite() && ln_pdf > -0.5 * (squares + d * LN_2PI) - SHORTFALL
}
