//! Settings of a training run.

use serde::{Deserialize, Serialize};

use crate::FlowError;

/// How the learning rate moves through a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Schedule {
    /// The same rate throughout.
    Constant,
    /// Half a cosine from the full rate down to zero (Loshchilov and Hutter, *SGDR*, ICLR 2017).
    Cosine,
}

impl Schedule {
    /// Factor of the learning rate at `progress` in `[0, 1)`.
    pub(crate) fn factor(self, progress: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        }
    }
}

/// Standard deviation of the normal noise on each feature, in standardised units. In a settings file it is
/// one number or a list with one for each feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Jitter {
    /// The same for all features.
    Same(f64),
    /// One for each feature.
    Each(Vec<f64>),
}

impl Jitter {
    /// Noise on feature `feature`.
    pub(crate) fn of(&self, feature: usize) -> f64 {
        match self {
            Self::Same(value) => *value,
            Self::Each(values) => values[feature],
        }
    }

    fn values(&self) -> &[f64] {
        match self {
            Self::Same(value) => std::slice::from_ref(value),
            Self::Each(values) => values,
        }
    }

    /// Whether there is any noise.
    pub(crate) fn any(&self) -> bool {
        self.values().iter().any(|v| *v > 0.0)
    }
}

/// Settings of a training run; the defaults are those of Kruse et al. (AAAI 2025) where the paper
/// gives them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainSettings {
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows a step.
    pub batch_size: usize,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// How the learning rate moves.
    pub schedule: Schedule,
    /// Share of the steps over which the learning rate first rises in a line from zero, in `[0, 1)`.
    pub warm_up: f64,
    /// Bound on the norm of the gradient over all parameters together.
    pub clip_norm: f64,
    /// Share of the rows held out to measure the likelihood, in `[0, 1)`.
    pub validation_share: f64,
    /// Noise added to each batch; 0 adds none. Outcomes on a surface or with point masses have no
    /// density without it.
    pub jitter: Jitter,
    /// How many times as large the noise is at first; it falls in a geometric progression to
    /// `jitter` at the end. A surface is found through thick noise and made out through thin.
    pub jitter_start: f64,
    /// Decay of the exponential moving average of the weights that becomes the flow, in `[0, 1)`;
    /// 0 takes the weights of the last step.
    pub average: f64,
    /// Epochs without a better held-out likelihood after which training stops and the best weights
    /// become the flow; `None` runs through all epochs and takes the last weights.
    pub patience: Option<usize>,
    /// Seed of weights, split, shuffling and noise.
    pub seed: u64,
}

impl Default for TrainSettings {
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
        }
    }
}

impl TrainSettings {
    /// Checks every setting against `rows` training rows of `features` features in all.
    ///
    /// # Errors
    /// [`FlowError::Setting`] for the first setting out of its range, [`FlowError::TooFewRows`] when
    /// what is left after the split does not fill one batch.
    pub fn validate(&self, features: usize, rows: usize) -> Result<(), FlowError> {
        if self.epochs == 0 {
            return Err(FlowError::setting("epochs", "positive", self.epochs));
        }
        if self.batch_size < 2 {
            // Batch normalisation has no variance to take of one row.
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
        if let Jitter::Each(values) = &self.jitter
            && values.len() != features
        {
            let actual = format!("a list of {}", values.len());
            return Err(FlowError::setting(
                "jitter",
                "one number, or one for each feature of the flow",
                actual,
            ));
        }
        if !(self.jitter_start >= 1.0 && self.jitter_start.is_finite()) {
            let condition = "at least 1 and finite";
            return Err(FlowError::setting("jitter_start", condition, self.jitter_start));
        }
        if self.patience == Some(0) {
            return Err(FlowError::setting("patience", "positive, or left out", 0));
        }
        if self.patience.is_some() && self.held_out(rows) == 0 {
            let condition = "large enough to hold out a row, since `patience` needs some";
            return Err(FlowError::setting("validation_share", condition, self.validation_share));
        }
        let needed = (self.batch_size as f64 / (1.0 - self.validation_share)).ceil() as usize;
        if rows - self.held_out(rows) < self.batch_size {
            return Err(FlowError::TooFewRows { rows, needed });
        }
        Ok(())
    }

    /// Learning rate at step `step` of `steps`.
    pub(crate) fn rate(&self, step: usize, steps: usize) -> f64 {
        let progress = step as f64 / steps as f64;
        let rate = self.learning_rate * self.schedule.factor(progress);
        if progress < self.warm_up { rate * (progress / self.warm_up) } else { rate }
    }

    /// How many times as large as `jitter` the noise is at step `step` of `steps`.
    pub(crate) fn noise_factor(&self, step: usize, steps: usize) -> f64 {
        let left = 1.0 - (step + 1) as f64 / steps as f64;
        self.jitter_start.powf(left)
    }

    /// Rows held out of `rows`.
    pub(crate) fn held_out(&self, rows: usize) -> usize {
        (rows as f64 * self.validation_share) as usize
    }
}
