//! The rows of a training run.

use nalgebra::{DMatrix, DMatrixView, DVector};
use rand::seq::SliceRandom;

use crate::train::{
    rng::{Purpose, stream},
    settings::TrainSettings,
};

/// Inputs of the chain, row-major, split into training rows and held-out rows.
pub(crate) struct Data {
    pub(crate) features: usize,
    pub(crate) train: Vec<f64>,
    pub(crate) held_out: Vec<f64>,
    /// Mean log-determinant of the marginal maps at the training rows and at the held-out rows: the difference
    /// of likelihoods in standardised units and in those of the chain.
    pub(crate) ln_det: [f64; 2],
}

impl Data {
    /// Splits inputs of the chain, `[d, n]`, with the log-determinants of the marginal maps, `[n]`.
    pub(crate) fn split(z: &DMatrix<f64>, ln_det: &DVector<f64>, settings: &TrainSettings) -> Self {
        let (features, n) = z.shape();
        let mut rows: Vec<usize> = (0..n).collect();
        rows.shuffle(&mut stream(settings.seed(), Purpose::Split, 0));
        let train = rows.split_off(settings.held_out(n));
        let pick = |rows| gather(z.as_slice(), features, rows);
        let mean = |rows: &[usize]| {
            rows.iter().map(|&row| ln_det[row]).sum::<f64>() / rows.len().max(1) as f64
        };
        let ln_det = [mean(&train), mean(&rows)];
        Self { features, train: pick(&train), held_out: pick(&rows), ln_det }
    }

    /// Number of training rows.
    pub(crate) fn rows(&self) -> usize {
        self.train.len() / self.features
    }
}

/// Rows `rows` of `data`, which has `d` columns.
pub(crate) fn gather(data: &[f64], d: usize, rows: &[usize]) -> Vec<f64> {
    rows.iter().flat_map(|&row| data[row * d..(row + 1) * d].iter().copied()).collect()
}

/// BLAKE3 hash of outcomes in hexadecimal digits, as in
/// [`TrainingRecord::data_hash`](crate::TrainingRecord::data_hash).
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome per column
pub fn data_hash(x: DMatrixView<'_, f64>) -> String {
    let mut hasher = blake3::Hasher::new();
    for column in x.column_iter() {
        column.iter().for_each(|v| {
            hasher.update(&v.to_le_bytes());
        });
    }
    hasher.finalize().to_hex().to_string()
}
