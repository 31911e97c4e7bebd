//! The sampled failures of an estimate.

use std::path::Path;

use latent_is::{Estimate, Transport};
use nalgebra::{DMatrix, DVector};

use crate::{
    commands::features::weight_column,
    estimation::{flow_model::FlowModel, method::Space},
    outcomes::{self, Format},
};

/// Sampled failures in physical units, with their weights.
pub(super) struct Failures {
    /// The failures, `[d, m]`.
    x: DMatrix<f64>,
    /// The weights, `[m]`.
    weights: DVector<f64>,
}

impl Failures {
    /// The failures of `estimate`; its points are in `space`.
    ///
    /// # Errors
    /// When the flow cannot decode the points.
    pub(super) fn of(estimate: &Estimate, model: &FlowModel, space: Space) -> anyhow::Result<Self> {
        let points = &estimate.sample.points;
        let y_std = match space {
            Space::Latent => model.transport.decode_points(points.as_view())?,
            Space::Target => points.clone(),
        };
        let x = model.moments().undo(model.complete(y_std)?.as_view());
        Ok(Self { x, weights: estimate.sample.ln_w.map(f64::exp) })
    }

    /// Number of failures `m`.
    pub(super) fn len(&self) -> usize {
        self.x.ncols()
    }

    /// At most `n` failures, one per row.
    pub(super) fn rows(&self, n: usize) -> Vec<Vec<f64>> {
        rows(&self.x, n)
    }

    /// Writes the failures under the feature names, with the weights in the last column, which is
    /// called `weight` unless a feature is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, path: &Path, names: &[String]) -> anyhow::Result<()> {
        let d = self.x.nrows();
        let mut table = self.x.clone().insert_row(d, 0.0);
        table.row_mut(d).copy_from(&self.weights.transpose());
        let names = [names, &[weight_column(names)]].concat();
        outcomes::write(path, Format::to_write(path)?, &names, &table)
    }
}

/// The first `n` columns of `x`, one per row.
pub(super) fn rows(x: &DMatrix<f64>, n: usize) -> Vec<Vec<f64>> {
    x.column_iter().take(n).map(|x| x.iter().copied().collect()).collect()
}
