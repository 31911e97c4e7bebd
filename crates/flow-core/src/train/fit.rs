//! Training a flow on outcomes, in one go or in several sittings.

use burn::tensor::Device;
use nalgebra::{DMatrix, DMatrixView};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{Checkpoint, Observer, TrainSettings, TrainingRecord, run::Run};
use crate::{Flow, FlowConfig, FlowError, Precision, bijection::Standardize};

/// A trained flow and how it came to be.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The flow, ready for use.
    pub flow: Flow,
    /// The run.
    pub record: TrainingRecord,
}

/// Trains a flow on outcomes `x` by maximum likelihood.
///
/// Features are standardised with the moments of all of `x`. The result is a function of the data
/// and the settings; on the CPU backend it does not depend on the number of threads.
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome a column
///
/// # Errors
/// [`FlowError::Features`] when `x` has another number of features than `config`; a
/// [`FlowError::Setting`] for a setting out of range; [`FlowError::TooFewRows`],
/// [`FlowError::NotFinite`] or [`FlowError::ConstantFeature`] for data that cannot be trained on;
/// [`FlowError::Diverged`] when losses or gradients stop being numbers again and again;
/// [`FlowError::Interrupted`] when the observer asks to stop.
pub fn fit(
    x: DMatrixView<'_, f64>,
    config: &FlowConfig,
    settings: &TrainSettings,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<Trained, FlowError> {
    train(x, config, settings, device, observer, None)
}

/// As [`fit`], and keeps a checkpoint: a run that was interrupted or killed goes on from there and
/// ends with the same bits as one that was not, on the CPU backend. The checkpoint is removed at the
/// end.
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome a column
///
/// # Errors
/// As [`fit`]; [`FlowError::OtherRun`] when the checkpoint belongs to other data or settings;
/// [`FlowError::Format`] and [`FlowError::File`] when it cannot be read or written.
pub fn fit_resumable(
    x: DMatrixView<'_, f64>,
    config: &FlowConfig,
    settings: &TrainSettings,
    device: &Device,
    observer: &mut dyn Observer,
    checkpoint: &Checkpoint,
) -> Result<Trained, FlowError> {
    train(x, config, settings, device, observer, Some(checkpoint))
}

fn train(
    x: DMatrixView<'_, f64>,
    config: &FlowConfig,
    settings: &TrainSettings,
    device: &Device,
    observer: &mut dyn Observer,
    checkpoint: Option<&Checkpoint>,
) -> Result<Trained, FlowError> {
    if x.nrows() != config.features {
        return Err(FlowError::Features { expected: config.features, actual: x.nrows() });
    }
    settings.validate(x.nrows(), x.ncols())?;
    let standardize = Standardize::from_data(x)?;
    let data = Data::split(&standardize.apply(x), settings);
    let flow = Flow::init(config, standardize, settings.seed, Precision::F32, device)?;
    let record = TrainingRecord {
        settings: settings.clone(),
        rows: x.ncols(),
        data_hash: data_hash(x),
        ..TrainingRecord::default()
    };
    let run = Run::new(flow, &data, device, record)?;
    let run = match checkpoint {
        Some(checkpoint) => checkpoint.resume(run)?,
        None => run,
    };
    let trained = run.finish(observer, checkpoint)?;
    if let Some(checkpoint) = checkpoint {
        checkpoint.remove()?;
    }
    Ok(trained)
}

/// Standardised rows, one after the other, apart for training and for measuring.
pub(crate) struct Data {
    pub(crate) features: usize,
    pub(crate) train: Vec<f64>,
    pub(crate) held_out: Vec<f64>,
}

impl Data {
    fn split(data: &DMatrix<f64>, settings: &TrainSettings) -> Self {
        let (features, n) = data.shape();
        let mut rows: Vec<usize> = (0..n).collect();
        rows.shuffle(&mut stream(settings.seed, Purpose::Split, 0));
        let train = rows.split_off(settings.held_out(n));
        let pick = |rows| gather(data.as_slice(), features, rows);
        Self { features, train: pick(&train), held_out: pick(&rows) }
    }

    /// Rows to train on.
    pub(crate) fn rows(&self) -> usize {
        self.train.len() / self.features
    }
}

/// Rows `rows` of `data`, one after the other.
pub(crate) fn gather(data: &[f64], d: usize, rows: &[usize]) -> Vec<f64> {
    rows.iter().flat_map(|&row| data[row * d..(row + 1) * d].iter().copied()).collect()
}

/// What random numbers are for; weights have the streams of [`Flow::init`].
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Which rows are held out.
    Split,
    /// Order of the rows in an epoch.
    Shuffle,
    /// Noise on the rows of a step.
    Jitter,
    /// Dropout of a step.
    Dropout,
}

/// Generator for item `index` of a purpose, so that a run taken up again draws what it would have.
pub(crate) fn stream(seed: u64, purpose: Purpose, index: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((purpose as u64 + 1) << 48) | index as u64);
    rng
}

/// BLAKE3 hash of outcomes as [`TrainingRecord::data_hash`] keeps it, in hexadecimal digits.
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome a column
pub fn data_hash(x: DMatrixView<'_, f64>) -> String {
    let mut hasher = blake3::Hasher::new();
    for column in x.column_iter() {
        column.iter().for_each(|v| {
            hasher.update(&v.to_le_bytes());
        });
    }
    hasher.finalize().to_hex().to_string()
}
