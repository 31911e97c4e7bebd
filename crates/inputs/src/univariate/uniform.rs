//! The uniform distribution.

use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{check::Check, error::InputsError};

/// The uniform distribution between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Uniform {
    from: f64,
    to: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    from: f64,
    to: f64,
}

impl TryFrom<Parameters> for Uniform {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.from, p.to)
    }
}

impl From<Uniform> for Parameters {
    fn from(Uniform { from, to }: Uniform) -> Self {
        Self { from, to }
    }
}

impl Uniform {
    /// The uniform distribution between `from` and `to`.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless both are finite and `from < to`.
    pub fn new(from: f64, to: f64) -> Result<Self, InputsError> {
        Check("uniform").range(from, to)?;
        Ok(Self { from, to })
    }
}

impl Univariate for Uniform {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        self.from + (self.to - self.from) * ln_p.exp()
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        self.to - (self.to - self.from) * ln_q.exp()
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        ((w - self.from) / (self.to - self.from)).clamp(0.0, 1.0).ln()
    }

    fn ln_sf(&self, w: f64) -> f64 {
        ((self.to - w) / (self.to - self.from)).clamp(0.0, 1.0).ln()
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        let inside = (self.from..=self.to).contains(&w);
        Some(if inside { -(self.to - self.from).ln() } else { f64::NEG_INFINITY })
    }

    fn mean(&self) -> f64 {
        0.5 * self.from + 0.5 * self.to
    }

    fn sd(&self) -> f64 {
        (self.to - self.from) / 12_f64.sqrt()
    }
}
