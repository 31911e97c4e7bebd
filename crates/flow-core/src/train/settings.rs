//! Settings of a training run.

use serde::{Deserialize, Serialize};

use crate::{
    error::FlowError,
    marginals::MarginalChoice,
    train::{jitter::Jitter, schedule::Schedule},
};

/// Fewest rows to train on, with the held-out ones.
pub(super) const MIN_ROWS: usize = 20;
/// Random streams distinguish this number of steps.
const MAX_STEPS: usize = 1 << 48;

/// Settings of a training run.
///
/// Settings are always valid: they come from [`builder`](Self::builder), and settings that are read from a
/// file pass the same checks. [`check_data`](Self::check_data) compares them with the data.
///
/// ```
/// use flow_core::{TrainSettings, train::Schedule};
///
/// let settings = TrainSettings::builder().epochs(30).schedule(Schedule::Cosine).build()?;
/// let longer = settings.to_builder().epochs(60).build()?;
/// assert_eq!(longer.schedule(), Schedule::Cosine);
/// assert!(TrainSettings::builder().warm_up(1.5).build().is_err());
/// # Ok::<(), flow_core::FlowError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TrainSettingsBuilder", into = "TrainSettingsBuilder")]
pub struct TrainSettings(TrainSettingsBuilder);

/// Collects [`TrainSettings`]. The defaults are those of Kruse et al. (AAAI 2025) where the paper gives
/// them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct TrainSettingsBuilder {
    epochs: usize,
    batch_size: usize,
    learning_rate: f64,
    schedule: Schedule,
    warm_up: f64,
    clip_norm: f64,
    validation_share: f64,
    jitter: Jitter,
    jitter_start: f64,
    average: f64,
    patience: Option<usize>,
    seed: u64,
    // Absent where all features are affine, as in files of earlier versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    marginals: Vec<MarginalChoice>,
}

impl Default for TrainSettingsBuilder {
    fn default() -> Self {
        Self {
            epochs: 15,
            batch_size: 128,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            warm_up: 0.0,
            clip_norm: 5.0,
            validation_share: 0.1,
            jitter: Jitter::Same(0.0),
            jitter_start: 1.0,
            average: 0.0,
            patience: None,
            seed: 0,
            marginals: Vec::new(),
        }
    }
}

impl TrainSettings {
    /// The default settings.
    pub fn builder() -> TrainSettingsBuilder {
        TrainSettingsBuilder::default()
    }

    /// A builder that starts with these settings.
    pub fn to_builder(&self) -> TrainSettingsBuilder {
        self.0.clone()
    }

    /// Passes over the training rows; weighted rows come as often in a pass as their weights say.
    pub fn epochs(&self) -> usize {
        self.0.epochs
    }

    /// Rows per step, at most.
    pub fn batch_size(&self) -> usize {
        self.0.batch_size
    }

    /// Learning rate of Adam.
    pub fn learning_rate(&self) -> f64 {
        self.0.learning_rate
    }

    /// How the learning rate changes.
    pub fn schedule(&self) -> Schedule {
        self.0.schedule
    }

    /// Share of the steps in which the learning rate increases linearly from zero.
    pub fn warm_up(&self) -> f64 {
        self.0.warm_up
    }

    /// Largest norm of the gradient with respect to all parameters.
    pub fn clip_norm(&self) -> f64 {
        self.0.clip_norm
    }

    /// Share of the rows that are held out to measure the likelihood.
    pub fn validation_share(&self) -> f64 {
        self.0.validation_share
    }

    /// Noise added to each batch.
    pub fn jitter(&self) -> &Jitter {
        &self.0.jitter
    }

    /// Factor of the noise in the first step.
    pub fn jitter_start(&self) -> f64 {
        self.0.jitter_start
    }

    /// Decay of the exponential moving average of the weights.
    pub fn average(&self) -> f64 {
        self.0.average
    }

    /// Epochs without a better held-out likelihood after which training stops.
    pub fn patience(&self) -> Option<usize> {
        self.0.patience
    }

    /// Seed of weights, split, order of rows and noise.
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    /// How the maps of single features are chosen: one choice for all, one per feature, or none for affine
    /// maps.
    pub fn marginals(&self) -> &[MarginalChoice] {
        &self.0.marginals
    }

    /// Rows per step with `rows` rows: all training rows, if there are fewer than the batch size.
    pub fn rows_per_step(&self, rows: usize) -> usize {
        self.batch_size().min(rows - self.held_out(rows))
    }

    /// Checks the settings against `rows` rows of `features` features.
    ///
    /// # Errors
    /// [`FlowError::Setting`] for a setting that does not suit the data, [`FlowError::TooFewRows`] for
    /// fewer than 20 rows.
    pub fn check_data(&self, features: usize, rows: usize) -> Result<(), FlowError> {
        if let Jitter::Each(values) = self.jitter()
            && values.len() != features
        {
            let actual = format!("a list of {}", values.len());
            let condition = "one number, or one per feature of the flow";
            return Err(FlowError::setting("jitter", condition, actual));
        }
        if rows < MIN_ROWS {
            return Err(FlowError::TooFewRows { rows, needed: MIN_ROWS });
        }
        if self.patience().is_some() && self.held_out(rows) == 0 {
            let condition = "large enough to hold out a row, because `patience` needs one";
            return Err(FlowError::setting("validation_share", condition, self.validation_share()));
        }
        let batch = self.rows_per_step(rows);
        if batch < 2 {
            let condition = "small enough to leave two rows to train on";
            return Err(FlowError::setting("validation_share", condition, self.validation_share()));
        }
        let steps = ((rows - self.held_out(rows)) / batch).checked_mul(self.epochs());
        if steps.is_none_or(|steps| steps >= MAX_STEPS) {
            let condition = "so small that the run has fewer than 2^48 steps";
            return Err(FlowError::setting("epochs", condition, self.epochs()));
        }
        Ok(())
    }

    /// Learning rate at step `step` of `steps`.
    pub(crate) fn rate(&self, step: usize, steps: usize) -> f64 {
        let progress = step as f64 / steps as f64;
        let rate = self.learning_rate() * self.schedule().factor(progress);
        if progress < self.warm_up() { rate * (progress / self.warm_up()) } else { rate }
    }

    /// Factor of the noise at step `step` of `steps`.
    pub(crate) fn noise_factor(&self, step: usize, steps: usize) -> f64 {
        let left = 1.0 - (step + 1) as f64 / steps as f64;
        self.jitter_start().powf(left)
    }

    /// Number of held-out rows out of `rows`.
    pub(crate) fn held_out(&self, rows: usize) -> usize {
        (rows as f64 * self.validation_share()) as usize
    }
}

impl TrainSettingsBuilder {
    /// Passes over the training rows, positive; by default 15.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Rows per step, at least 2; by default 128. With fewer training rows, each step takes all of them.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Learning rate of Adam, positive; by default 1e-3.
    pub fn learning_rate(mut self, learning_rate: f64) -> Self {
        self.learning_rate = learning_rate;
        self
    }

    /// How the learning rate changes; by default it is constant.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Share of the steps in which the learning rate increases linearly from zero, in `[0, 1)`; by
    /// default 0.
    pub fn warm_up(mut self, warm_up: f64) -> Self {
        self.warm_up = warm_up;
        self
    }

    /// Largest norm of the gradient with respect to all parameters, positive; larger gradients are
    /// scaled down. By default 5.
    pub fn clip_norm(mut self, clip_norm: f64) -> Self {
        self.clip_norm = clip_norm;
        self
    }

    /// Share of the rows that are held out to measure the likelihood, in `[0, 1)`; by default 0.1.
    pub fn validation_share(mut self, validation_share: f64) -> Self {
        self.validation_share = validation_share;
        self
    }

    /// Noise added to each batch, not negative; by default 0, which adds none. Outcomes on a surface, or
    /// with values of positive probability, have no density without noise.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Factor of the noise in the first step, at least 1; by default 1. It decreases geometrically to 1 at
    /// the end of training. Large noise shows where a surface lies, small noise resolves it.
    pub fn jitter_start(mut self, jitter_start: f64) -> Self {
        self.jitter_start = jitter_start;
        self
    }

    /// Decay of the exponential moving average of the weights, in `[0, 1)`; the flow gets the average. By
    /// default 0: the flow gets the weights of the last step.
    pub fn average(mut self, average: f64) -> Self {
        self.average = average;
        self
    }

    /// Epochs without a better held-out likelihood after which training stops and the flow gets the best
    /// weights. By default `None`: all epochs are run and the flow gets the last weights.
    pub fn patience(mut self, patience: Option<usize>) -> Self {
        self.patience = patience;
        self
    }

    /// Seed of weights, split, order of rows and noise; by default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How the maps of single features are chosen: one choice for all features, one per feature, or none, the
    /// default, for mean and standard deviation alone.
    pub fn marginals(mut self, marginals: impl Into<Vec<MarginalChoice>>) -> Self {
        self.marginals = marginals.into();
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`FlowError::Setting`] for the first setting out of its range.
    pub fn build(self) -> Result<TrainSettings, FlowError> {
        if self.epochs == 0 {
            return Err(FlowError::setting("epochs", "positive", self.epochs));
        }
        if self.batch_size < 2 {
            // Batch normalisation needs the variance of the batch.
            return Err(FlowError::setting("batch_size", "at least 2", self.batch_size));
        }
        for (name, value) in [("learning_rate", self.learning_rate), ("clip_norm", self.clip_norm)]
        {
            if !(value > 0.0 && value.is_finite()) {
                return Err(FlowError::setting(name, "positive and finite", value));
            }
        }
        for (name, value) in [
            ("warm_up", self.warm_up),
            ("validation_share", self.validation_share),
            ("average", self.average),
        ] {
            if !(0.0..1.0).contains(&value) {
                return Err(FlowError::setting(name, "in [0, 1)", value));
            }
        }
        if let Some(bad) = self.jitter.values().iter().find(|v| !(**v >= 0.0 && v.is_finite())) {
            return Err(FlowError::setting("jitter", "at least 0 and finite", bad));
        }
        if !(self.jitter_start >= 1.0 && self.jitter_start.is_finite()) {
            let condition = "at least 1 and finite";
            return Err(FlowError::setting("jitter_start", condition, self.jitter_start));
        }
        if self.patience == Some(0) {
            return Err(FlowError::setting("patience", "positive or absent", 0));
        }
        Ok(TrainSettings(self))
    }
}

impl TryFrom<TrainSettingsBuilder> for TrainSettings {
    type Error = FlowError;

    fn try_from(builder: TrainSettingsBuilder) -> Result<Self, FlowError> {
        builder.build()
    }
}

impl From<TrainSettings> for TrainSettingsBuilder {
    fn from(settings: TrainSettings) -> Self {
        settings.0
    }
}
