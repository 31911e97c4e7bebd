//! The distributions that an input may have.

use serde::{Deserialize, Serialize};

use crate::univariate::normal::Normal;

/// The distribution of one input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Distribution {
    /// See [`Normal`].
    Normal(Normal),
}

impl Distribution {
    /// The value at the standard normal number `u`: $w = F^{-1}(\Phi(u))$.
    pub fn at_normal(&self, u: f64) -> f64 {
        match self {
            Self::Normal(d) => d.at_normal(u),
        }
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Normal(d) => d.mean(),
        }
    }
}

impl From<Normal> for Distribution {
    fn from(d: Normal) -> Self {
        Self::Normal(d)
    }
}
