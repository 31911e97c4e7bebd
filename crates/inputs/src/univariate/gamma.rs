//! The gamma distribution.

use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{check::Check, error::InputsError, special::gamma};

/// The gamma distribution with shape $k$ and scale $s$: density $\propto w^{k - 1} e^{-w / s}$.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Gamma {
    shape: f64,
    scale: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    shape: f64,
    scale: f64,
}

impl TryFrom<Parameters> for Gamma {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.shape, p.scale)
    }
}

impl From<Gamma> for Parameters {
    fn from(Gamma { shape, scale }: Gamma) -> Self {
        Self { shape, scale }
    }
}

impl Gamma {
    /// The gamma distribution with `shape` and `scale`, the reciprocal of its rate.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `shape` lies between 0.001 and 1e6 and `scale` is finite and
    /// above 0.
    pub fn new(shape: f64, scale: f64) -> Result<Self, InputsError> {
        Check("gamma").shape("shape", shape)?.positive("scale", scale)?;
        Ok(Self { shape, scale })
    }

    fn ln_both(&self, w: f64) -> (f64, f64) {
        if w > 0.0 {
            gamma::ln_both(self.shape, (w / self.scale).ln())
        } else if w <= 0.0 {
            (f64::NEG_INFINITY, 0.0)
        } else {
            (f64::NAN, f64::NAN)
        }
    }
}

impl Univariate for Gamma {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        self.scale * gamma::ln_lower_quantile(self.shape, ln_p).exp()
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        self.scale * gamma::upper_quantile(self.shape, ln_q)
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        self.ln_both(w).0
    }

    fn ln_sf(&self, w: f64) -> f64 {
        self.ln_both(w).1
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        if w > 0.0 {
            let y = (w / self.scale).ln();
            return Some(gamma::ln_density(self.shape, y) - w.ln());
        }
        Some(match self.shape {
            k if w == 0.0 && k < 1.0 => f64::INFINITY,
            k if w == 0.0 && k <= 1.0 => -self.scale.ln(),
            _ => f64::NEG_INFINITY,
        })
    }

    fn mean(&self) -> f64 {
        self.shape * self.scale
    }

    fn sd(&self) -> f64 {
        self.shape.sqrt() * self.scale
    }
}
