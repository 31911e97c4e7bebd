//! The normal distribution.

use serde::{Deserialize, Serialize};

use crate::error::InputsError;

/// The normal distribution with a mean and a standard deviation: $w = \mu + \sigma u$.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Normal {
    mean: f64,
    sd: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    mean: f64,
    sd: f64,
}

impl TryFrom<Parameters> for Normal {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.mean, p.sd)
    }
}

impl From<Normal> for Parameters {
    fn from(Normal { mean, sd }: Normal) -> Self {
        Self { mean, sd }
    }
}

impl Normal {
    /// The normal distribution with `mean` and standard deviation `sd`.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `mean` is finite and `sd` finite and above 0.
    pub fn new(mean: f64, sd: f64) -> Result<Self, InputsError> {
        let refuse = |name, condition, value| {
            Err(InputsError::Parameter { distribution: "normal", name, condition, value })
        };
        if !mean.is_finite() {
            return refuse("mean", "finite", mean);
        }
        if !(sd.is_finite() && sd > 0.0) {
            return refuse("sd", "finite and above 0", sd);
        }
        Ok(Self { mean, sd })
    }

    pub(crate) fn at_normal(self, u: f64) -> f64 {
        self.mean + self.sd * u
    }

    pub(crate) fn mean(self) -> f64 {
        self.mean
    }
}
