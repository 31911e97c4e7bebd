//! Training a flow on outcomes.

use burn::tensor::Device;
use nalgebra::{DMatrixView, DVector};

use crate::{
    bijection::standardise::Standardise,
    config::FlowConfig,
    device::Precision,
    error::FlowError,
    flow::Flow,
    marginals::Marginals,
    train::{
        checkpoint::Checkpoint,
        data::{Data, Rows},
        observer::TrainingObserver,
        record::{Trained, TrainingRecord},
        rng::{Purpose, stream},
        row_weights::RowWeights,
        run::Run,
        settings::TrainSettings,
    },
};

/// Trains a flow on outcomes `x` by maximum likelihood.
///
/// Outcomes are standardised with the moments of all of `x`, and pass the marginal maps that the settings
/// choose ([`TrainSettings::marginals`]). The result is a function of the data and
/// the settings; on a CPU it does not depend on the number of threads.
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome per column
///
/// # Errors
/// [`FlowError::Features`] when the number of features of `x` differs from that of `config`;
/// [`FlowError::Setting`] for a setting that does not suit the data; [`FlowError::TooLarge`] when this
/// machine has too little memory; [`FlowError::TooFewRows`],
/// [`FlowError::NotFinite`] or [`FlowError::ConstantFeature`] for unsuitable data;
/// [`FlowError::Diverged`] when losses or gradients are repeatedly not finite, or the flow at the end has
/// no finite likelihood or one that is lower than that of independent normal features by 1000 nats;
/// [`FlowError::Interrupted`] when the observer asks to stop.
pub fn fit(
    x: DMatrixView<'_, f64>,
    config: &FlowConfig,
    settings: &TrainSettings,
    device: &Device,
    observer: &mut dyn TrainingObserver,
) -> Result<Trained, FlowError> {
    let rows = Rows { x, weights: None };
    let standardise = moments(rows, config, settings)?;
    train(rows, config, standardise, settings, device, observer, None)
}

/// As [`fit`], with a checkpoint: a run that was interrupted or killed resumes from it. On a CPU, the
/// resumed run returns the same bits as an uninterrupted one. The checkpoint is removed at the end, also of
/// a run that has diverged.
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome per column
///
/// # Errors
/// As [`fit`]; [`FlowError::OtherRun`] when the checkpoint belongs to other data or settings;
/// [`FlowError::Format`] and [`FlowError::File`] when it cannot be read or written.
pub fn fit_resumable(
    x: DMatrixView<'_, f64>,
    config: &FlowConfig,
    settings: &TrainSettings,
    device: &Device,
    observer: &mut dyn TrainingObserver,
    checkpoint: &Checkpoint,
) -> Result<Trained, FlowError> {
    let rows = Rows { x, weights: None };
    let standardise = moments(rows, config, settings)?;
    train(rows, config, standardise, settings, device, observer, Some(checkpoint))
}

/// The moments of outcomes that have the features of the architecture and suit the settings.
pub(super) fn moments(
    rows: Rows<'_>,
    config: &FlowConfig,
    settings: &TrainSettings,
) -> Result<Standardise, FlowError> {
    let Rows { x, weights } = rows;
    if x.nrows() != config.features() {
        return Err(FlowError::Features { expected: config.features(), actual: x.nrows() });
    }
    settings.check_data(x.nrows(), rows.used())?;
    match weights {
        None => Standardise::from_data(x),
        Some(weights) => Standardise::from_weighted(x, weights.relative()),
    }
}

/// Trains a flow with these moments.
pub(super) fn train(
    rows: Rows<'_>,
    config: &FlowConfig,
    standardise: Standardise,
    settings: &TrainSettings,
    device: &Device,
    observer: &mut dyn TrainingObserver,
    checkpoint: Option<&Checkpoint>,
) -> Result<Trained, FlowError> {
    let Rows { x, weights } = rows;
    settings.check_data(x.nrows(), rows.used())?;
    config.check_memory(settings.rows_per_step(rows.used()))?;
    let marginals = Marginals::choose(x, settings.marginals())?;
    let (z, ln_det) = if marginals.are_affine() {
        (standardise.apply(x), DVector::zeros(x.ncols()))
    } else {
        let mut rng = stream(settings.seed(), Purpose::Spread, 0);
        let (z, mut ln_det) = marginals.spread(x, &standardise, &mut rng);
        // Likelihoods are per standardised unit.
        ln_det.add_scalar_mut(-standardise.ln_det());
        (z, ln_det)
    };
    let data = Data::split(&z, &ln_det, weights.map(RowWeights::relative), settings);
    let flow = Flow::init(config, standardise, settings.seed(), Precision::F32, device)?;
    let record = TrainingRecord {
        settings: settings.clone(),
        rows: x.ncols(),
        data_hash: rows.hash(),
        effective_rows: weights.map(RowWeights::effective),
        ..TrainingRecord::default()
    };
    let mut run = Run::new(flow, &data, device, record)?;
    if let Some(checkpoint) = checkpoint {
        run.resume(checkpoint)?;
    }
    let trained = run.finish(observer, checkpoint);
    // A run that has diverged would do so again from its checkpoint.
    let ended = matches!(trained, Ok(_) | Err(FlowError::Diverged { .. }));
    if let (Some(checkpoint), true) = (checkpoint, ended) {
        checkpoint.remove()?;
    }
    let Trained { flow, record } = trained?;
    Ok(Trained { flow: flow.with_marginals(marginals)?, record })
}
