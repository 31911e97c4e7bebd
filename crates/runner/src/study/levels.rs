//! Masses of the levels of a criterion: by the rows, and under the flow.

use std::f64::consts::LN_10;

use latent_is::Tilt;
use nalgebra::{DMatrix, DMatrixView};

use crate::{report::study::LevelMass, study::rows::StudyRows};

/// Confidence with which all intervals of the levels hold together.
const CONFIDENCE: f64 = 0.95;

/// Scores of draws of the flow with their weights.
pub(crate) struct FlowDraws {
    /// Scores, `[k, n]`.
    pub(crate) values: DMatrix<f64>,
    /// Logarithms of `Z / omega`, `[n]`.
    pub(crate) ln_w: Vec<f64>,
}

impl FlowDraws {
    /// The mean weight.
    pub(crate) fn mass(&self) -> f64 {
        self.ln_w.iter().map(|ln_w| ln_w.exp()).sum::<f64>() / self.ln_w.len() as f64
    }

    /// The probability that score `mode` is at most `threshold`.
    fn probability(&self, mode: usize, threshold: f64) -> f64 {
        let n = self.ln_w.len();
        let below = (0..n).filter(|j| self.values[(mode, *j)] <= threshold);
        below.map(|j| self.ln_w[j].exp()).sum::<f64>() / n as f64
    }
}

/// One level per power of ten and mode, down to failure; `values: [k, n]` are the scores of the rows.
///
/// # Errors
/// When the numbers of rows differ.
pub(crate) fn masses(
    rows: &StudyRows,
    values: DMatrixView<'_, f64>,
    tilt: &Tilt,
    flow: Option<&FlowDraws>,
) -> anyhow::Result<Vec<LevelMass>> {
    let thresholds: Vec<(usize, f64)> = tilt
        .distributions()
        .iter()
        .enumerate()
        .flat_map(|(mode, score)| {
            let last = score.ln_p(0.0);
            let decades = (1..).map(|i| -LN_10 * f64::from(i)).take_while(|ln| *ln > last + 0.5);
            let mut thresholds: Vec<_> = decades.map(|ln| (mode, score.quantile(ln))).collect();
            thresholds.push((mode, 0.0));
            thresholds
        })
        .collect();
    let confidence = 1.0 - (1.0 - CONFIDENCE) / thresholds.len().max(1) as f64;
    let points = DMatrix::zeros(1, rows.len());
    let level = |(mode, threshold): (usize, f64)| {
        let g: Vec<f64> = values.row(mode).iter().map(|value| value - threshold).collect();
        let estimate = rows.sample.estimate(points.as_view(), &g, rows.families)?;
        Ok(LevelMass {
            mode,
            threshold,
            ln_p: estimate.ln_pf,
            interval: estimate.interval(confidence),
            flow: flow.map(|draws| draws.probability(mode, threshold)),
        })
    };
    let levels: anyhow::Result<Vec<LevelMass>> = thresholds.into_iter().map(level).collect();
    // A mode that no row reaches has no mass to compare.
    Ok(levels?.into_iter().filter(|level| level.ln_p.is_finite()).collect())
}
