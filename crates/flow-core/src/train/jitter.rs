//! Noise on the training rows.

use serde::{Deserialize, Serialize};

/// Standard deviation of the normal noise on each feature, in standardised units. In a settings file:
/// one number, or a list with one number per feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Jitter {
    /// The same for all features.
    Same(f64),
    /// One per feature.
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

    /// The numbers as they are given.
    pub(crate) fn values(&self) -> &[f64] {
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
