//! The rows of a training run.

use nalgebra::{DMatrix, DMatrixView};
use rand::seq::SliceRandom;

use crate::train::{
    rng::{Purpose, stream},
    settings::TrainSettings,
};

/// Standardised rows, row-major, split into training rows and held-out rows.
pub(crate) struct Data {
    pub(crate) features: usize,
    pub(crate) train: Vec<f64>,
    pub(crate) held_out: Vec<f64>,
}

impl Data {
    /// Splits standardised outcomes, `[d, n]`.
    pub(crate) fn split(x_std: &DMatrix<f64>, settings: &TrainSettings) -> Self {
        let (features, n) = x_std.shape();
        let mut rows: Vec<usize> = (0..n).collect();
        rows.shuffle(&mut stream(settings.seed(), Purpose::Split, 0));
        let train = rows.split_off(settings.held_out(n));
        let pick = |rows| gather(x_std.as_slice(), features, rows);
        Self { features, train: pick(&train), held_out: pick(&rows) }
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
