//! The normal distribution.

use serde::{Deserialize, Serialize};
use tails::normal::{LN_2PI, ln_cdf};

use super::Univariate;
use crate::{check::Check, error::InputsError, special::score::lower};

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
        Check("normal").finite("mean", mean)?.positive("sd", sd)?;
        Ok(Self { mean, sd })
    }
}

impl Univariate for Normal {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        self.at_normal(lower(ln_p))
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        self.at_normal(-lower(ln_q))
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        ln_cdf(self.to_normal(w))
    }

    fn ln_sf(&self, w: f64) -> f64 {
        ln_cdf(-self.to_normal(w))
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        Some(-0.5 * (self.to_normal(w).powi(2) + LN_2PI) - self.sd.ln())
    }

    fn mean(&self) -> f64 {
        self.mean
    }

    fn sd(&self) -> f64 {
        self.sd
    }

    fn at_normal(&self, u: f64) -> f64 {
        self.mean + self.sd * u
    }

    fn to_normal(&self, w: f64) -> f64 {
        (w - self.mean) / self.sd
    }
}
