//! A constant.

use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{check::Check, error::InputsError};

/// A constant, for an input that is held at one value. It takes no latent coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Constant {
    value: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    value: f64,
}

impl TryFrom<Parameters> for Constant {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.value)
    }
}

impl From<Constant> for Parameters {
    fn from(Constant { value }: Constant) -> Self {
        Self { value }
    }
}

impl Constant {
    /// The constant `value`.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `value` is finite.
    pub fn new(value: f64) -> Result<Self, InputsError> {
        Check("constant").finite("value", value)?;
        Ok(Self { value })
    }
}

impl Univariate for Constant {
    fn lower_quantile(&self, _: f64) -> f64 {
        self.value
    }

    fn upper_quantile(&self, _: f64) -> f64 {
        self.value
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        if w >= self.value { 0.0 } else { f64::NEG_INFINITY }
    }

    fn ln_sf(&self, w: f64) -> f64 {
        if w < self.value { 0.0 } else { f64::NEG_INFINITY }
    }

    fn ln_pdf(&self, _: f64) -> Option<f64> {
        None
    }

    fn mean(&self) -> f64 {
        self.value
    }

    fn sd(&self) -> f64 {
        0.0
    }
}
