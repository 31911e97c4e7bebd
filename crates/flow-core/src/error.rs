//! The errors of this crate.

use std::path::PathBuf;

use crate::{
    train::RowWeightsError,
    words::{count, gib},
};

/// Why a flow could not be built, trained, evaluated, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// A setting is out of its range.
    #[error("{name} must be {condition}, got {value}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What it must satisfy.
        condition: &'static str,
        /// What it was.
        value: String,
    },
    /// A flow has too many parameters, or its training needs more memory than there is.
    #[error(
        "the flow has {parameters} parameters and its training needs {bytes} of memory, but {limit}; \
         lower `hidden`, `steps`, `bins` or the number of rows per step",
        parameters = count(*parameters),
        bytes = gib(*bytes)
    )]
    TooLarge {
        /// Trained parameters.
        parameters: f64,
        /// Bytes of memory for the training.
        bytes: f64,
        /// What is exceeded.
        limit: String,
    },
    /// The number of features of the samples differs from that of the flow.
    #[error("the flow has {expected} features, the samples have {actual}")]
    Features {
        /// Features of the flow.
        expected: usize,
        /// Features of the samples.
        actual: usize,
    },
    /// A sample holds NaN or infinity.
    #[error("row {row}, feature {feature} is {value}; remove or repair rows that are not finite")]
    NotFinite {
        /// Index of the sample.
        row: usize,
        /// Index of the feature.
        feature: usize,
        /// The value.
        value: f64,
    },
    /// A feature has a single value, so it has no density.
    #[error("feature {feature} is constant ({value}) in the training data; remove this feature")]
    ConstantFeature {
        /// Index of the feature.
        feature: usize,
        /// Its value.
        value: f64,
    },
    /// Too few rows to train on.
    #[error("{rows} rows are too few to train on; at least {needed} are needed")]
    TooFewRows {
        /// Rows given.
        rows: usize,
        /// Rows needed.
        needed: usize,
    },
    /// The weights of the rows are not suitable.
    #[error(transparent)]
    RowWeights(RowWeightsError),
    /// The values of a feature do not suit the map that was chosen for it.
    #[error(
        "feature {feature} does not suit its marginal map: {reason}; choose another one, for example `affine`"
    )]
    Marginal {
        /// Index of the feature.
        feature: usize,
        /// What is wrong.
        reason: String,
    },
    /// The loss, the held-out likelihood or the weights became NaN, infinite or unusable.
    #[error(
        "the training diverged in epoch {epoch}, at step {step}: {quantity} is {value:.4e}; lower the learning rate \
         or the clip norm, or look for outliers in the data"
    )]
    Diverged {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Optimiser step, counted from 0.
        step: usize,
        /// What is not finite or not usable.
        quantity: &'static str,
        /// Its value.
        value: f64,
    },
    /// A checkpoint belongs to another run.
    #[error("{path} is the checkpoint of another run: {reason}; remove it or choose another file", path = path.display())]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
    /// The observer asked to stop.
    #[error("training was interrupted after {steps} steps")]
    Interrupted {
        /// Optimiser steps done.
        steps: usize,
    },
    /// The device is unknown or not part of this build.
    #[error("device `{name}` is not available; this build has {available}")]
    Device {
        /// The requested device.
        name: String,
        /// The devices of this build.
        available: String,
    },
    /// The backend is part of this build but finds no hardware.
    #[error(
        "device `{name}` finds no adapter; install the driver of a GPU, or Mesa's software driver (`mesa-vulkan-drivers`, `libvulkan1`)"
    )]
    NoAdapter {
        /// The device.
        name: &'static str,
    },
    /// A tensor could not be read from the device.
    #[error("the device failed: {0}")]
    Execution(String),
    /// A file could not be read or written.
    #[error("{action} {path}: {source}", path = path.display())]
    File {
        /// `cannot read`, `cannot write` or `cannot remove`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is damaged or has another format.
    #[error("{path} cannot be used: {reason}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Tensors are missing, not part of the flow, of another shape or not finite.
    #[error("the weights do not fit the configuration: {0}")]
    Weights(String),
}

impl FlowError {
    /// The values of a feature do not suit its map. The set of maps adds which feature it is.
    pub(crate) fn marginal(reason: impl Into<String>) -> Self {
        Self::Marginal { feature: 0, reason: reason.into() }
    }

    pub(crate) fn setting(
        name: &'static str,
        condition: &'static str,
        value: impl std::fmt::Display,
    ) -> Self {
        Self::Setting { name, condition, value: format!("{value}") }
    }
}
