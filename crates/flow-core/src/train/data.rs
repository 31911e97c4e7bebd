//! The rows of a training run.

use nalgebra::{DMatrix, DMatrixView, DVector};
use rand::seq::SliceRandom;

use crate::train::{
    rng::{Purpose, stream},
    row_weights::{RowWeights, weighted_mean},
    settings::TrainSettings,
};

/// The outcomes that a run is given, `[d, n]`, and their weights, if they have any.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) x: DMatrixView<'a, f64>,
    pub(super) weights: Option<&'a RowWeights<'a>>,
}

impl Rows<'_> {
    /// Number of rows that are trained on or held out: those of weight zero are neither.
    pub(super) fn used(&self) -> usize {
        self.weights.map_or(self.x.ncols(), RowWeights::positive)
    }

    /// The hash of outcomes and weights.
    pub(super) fn hash(&self) -> String {
        match self.weights {
            None => data_hash(self.x),
            Some(weights) => weighted_data_hash(self.x, weights.given()),
        }
    }
}

/// Inputs of the chain, row-major, split into training rows and held-out rows.
pub(crate) struct Data {
    pub(crate) features: usize,
    pub(crate) train: Vec<f64>,
    pub(crate) held_out: Vec<f64>,
    /// Mean log-determinant of the marginal maps at the training rows and at the held-out rows, weighted if there are
    /// weights: the difference of likelihoods in standardised units and in those of the chain.
    pub(crate) ln_det: [f64; 2],
    /// Weights of the training rows and of the held-out rows, if they have any.
    pub(crate) weights: Option<[Vec<f64>; 2]>,
}

impl Data {
    /// Splits inputs of the chain, `[d, n]`, with the log-determinants of the marginal maps, `[n]`, and weights, `[n]`.
    /// Rows of weight zero are left out.
    pub(crate) fn split(
        z: &DMatrix<f64>,
        ln_det: &DVector<f64>,
        weights: Option<&[f64]>,
        settings: &TrainSettings,
    ) -> Self {
        let (features, n) = z.shape();
        let used = |row: &usize| weights.is_none_or(|weights| weights[*row] > 0.0);
        let mut rows: Vec<usize> = (0..n).filter(used).collect();
        rows.shuffle(&mut stream(settings.seed(), Purpose::Split, 0));
        let train = rows.split_off(settings.held_out(rows.len()));
        let pick = |rows| gather(z.as_slice(), features, rows);
        let mean = |rows: &[usize]| match weights {
            None => rows.iter().map(|&row| ln_det[row]).sum::<f64>() / rows.len().max(1) as f64,
            Some(weights) => weighted_mean(rows.iter().map(|&row| (weights[row], ln_det[row]))),
        };
        let ln_det = [mean(&train), mean(&rows)];
        let weights = weights.map(|weights| [&train, &rows].map(|rows| gather(weights, 1, rows)));
        Self { features, train: pick(&train), held_out: pick(&rows), ln_det, weights }
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
    hasher_of(x).finalize().to_hex().to_string()
}

/// BLAKE3 hash of outcomes and their weights in hexadecimal digits, as in
/// [`TrainingRecord::data_hash`](crate::TrainingRecord::data_hash) of a flow that
/// [`fit_weighted`](crate::fit_weighted) trained: that of the outcomes, the word `weights`, and the weights as
/// little-endian `f64`.
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome per column
/// - `weights`: `[n]`
pub fn weighted_data_hash(x: DMatrixView<'_, f64>, weights: &[f64]) -> String {
    let mut hasher = hasher_of(x);
    // More outcomes have another hash than weights.
    hasher.update(b"weights");
    for weight in weights {
        hasher.update(&weight.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn hasher_of(x: DMatrixView<'_, f64>) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    for column in x.column_iter() {
        column.iter().for_each(|v| {
            hasher.update(&v.to_le_bytes());
        });
    }
    hasher
}
