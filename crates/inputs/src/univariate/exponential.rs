//! The exponential distribution.

use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{check::Check, error::InputsError, special::ln_1m_exp};

/// The exponential distribution with a mean: $P(W > w) = e^{-w / m}$.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Exponential {
    mean: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    mean: f64,
}

impl TryFrom<Parameters> for Exponential {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.mean)
    }
}

impl From<Exponential> for Parameters {
    fn from(Exponential { mean }: Exponential) -> Self {
        Self { mean }
    }
}

impl Exponential {
    /// The exponential distribution with `mean`, the reciprocal of its rate.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `mean` is finite and above 0.
    pub fn new(mean: f64) -> Result<Self, InputsError> {
        Check("exponential").positive("mean", mean)?;
        Ok(Self { mean })
    }
}

impl Univariate for Exponential {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        -self.mean * ln_1m_exp(ln_p)
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        -self.mean * ln_q
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        ln_1m_exp(self.ln_sf(w))
    }

    fn ln_sf(&self, w: f64) -> f64 {
        -w.max(0.0) / self.mean
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        Some(if w < 0.0 { f64::NEG_INFINITY } else { -w / self.mean - self.mean.ln() })
    }

    fn mean(&self) -> f64 {
        self.mean
    }

    fn sd(&self) -> f64 {
        self.mean
    }
}
