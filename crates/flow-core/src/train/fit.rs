//! The training loop.

use std::time::Instant;

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};
use nalgebra::{DMatrix, DMatrixView};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{Epoch, GlobalAdam, Observer, TrainSettings, TrainingRecord};
use crate::{
    Flow, FlowConfig, FlowError, Precision,
    bijection::{Bijection, Chain, Standardize},
    flow::LN_2PI,
};

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
/// [`FlowError::Diverged`] when the loss stops being a number.
pub fn fit(
    x: DMatrixView<'_, f64>,
    config: &FlowConfig,
    settings: &TrainSettings,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<Trained, FlowError> {
    let begin = Instant::now();
    if x.nrows() != config.features {
        return Err(FlowError::Features { expected: config.features, actual: x.nrows() });
    }
    settings.validate(x.ncols())?;
    let standardize = Standardize::from_data(x)?;
    let data = standardize.apply(x);
    let precision = Precision::F32;
    let mut flow = Flow::init(config, standardize, settings.seed, precision, device)?;

    // Streams 0: weights; 1: split and shuffling.
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    rng.set_stream(1);
    let mut rows: Vec<usize> = (0..x.ncols()).collect();
    rows.shuffle(&mut rng);
    let mut train = rows.split_off(settings.held_out(x.ncols()));
    let held_out = gather(&data, &rows);

    let mut record = TrainingRecord {
        settings: settings.clone(),
        rows: x.ncols(),
        data_hash: hash(x),
        ..TrainingRecord::default()
    };
    let batches = train.len() / settings.batch_size;
    let steps = batches * settings.epochs;
    observer.start(steps);
    let mut chain = flow.chain().clone().train();
    let mut adam = GlobalAdam::new(settings.clip_norm);
    // Dropout draws from the device.
    device.seed(settings.seed);
    for epoch in 0..settings.epochs {
        train.shuffle(&mut rng);
        let mut sum = 0.0;
        for (b, batch) in train.chunks_exact(settings.batch_size).enumerate() {
            let step = epoch * batches + b;
            let data = TensorData::new(gather(&data, batch), [batch.len(), config.features]);
            let options = precision.on(&device.clone().autodiff());
            let loss = negative_log_likelihood(&chain, Tensor::from_data(data, options));
            let grads = GradientsParams::from_grads(loss.backward(), &chain);
            let loss = loss.into_scalar::<f64>();
            if !loss.is_finite() {
                return Err(FlowError::Diverged { step, loss });
            }
            let factor = settings.schedule.factor(step as f64 / steps as f64);
            chain = adam.step(settings.learning_rate * factor, chain, grads);
            sum += loss;
            observer.step(loss);
        }
        flow.set_chain(chain.valid());
        let loss = sum / batches as f64;
        record.losses.push(loss);
        let held_out = if rows.is_empty() { None } else { Some(flow.mean_log_prob(&held_out)?) };
        record.held_out.extend(held_out);
        observer.epoch(&Epoch { done: epoch + 1, total: settings.epochs, loss, held_out });
    }
    record.seconds = begin.elapsed().as_secs_f64();
    Ok(Trained { flow, record })
}

/// The training loss: mean of $-\log p$ over a batch of standardised features.
///
/// # Shapes
/// - `x`: `[n, d]`; returns `[1]`
pub fn negative_log_likelihood(chain: &Chain, x: Tensor<2>) -> Tensor<1> {
    let d = x.dims()[1] as f64;
    let (z, ln_det) = chain.encode(x);
    let squares = z.square().sum_dim(1).squeeze_dim::<1>(1);
    (squares.mul_scalar(0.5) - ln_det).mean().add_scalar(0.5 * d * LN_2PI)
}

/// Columns `rows` of `data`, one after the other.
fn gather(data: &DMatrix<f64>, rows: &[usize]) -> Vec<f64> {
    let d = data.nrows();
    rows.iter().flat_map(|&row| data.as_slice()[row * d..(row + 1) * d].iter().copied()).collect()
}

fn hash(x: DMatrixView<'_, f64>) -> String {
    let mut hasher = blake3::Hasher::new();
    for column in x.column_iter() {
        column.iter().for_each(|v| {
            hasher.update(&v.to_le_bytes());
        });
    }
    hasher.finalize().to_hex().to_string()
}
