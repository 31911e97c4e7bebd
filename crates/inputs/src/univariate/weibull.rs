//! The Weibull distribution.

use libm::{lgamma, tgamma};
use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{check::Check, error::InputsError, special::ln_1m_exp};

/// The Weibull distribution of minima: $P(W > w) = e^{-(w / s)^k}$ with shape $k$ and scale $s$.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Weibull {
    shape: f64,
    scale: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    shape: f64,
    scale: f64,
}

impl TryFrom<Parameters> for Weibull {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.shape, p.scale)
    }
}

impl From<Weibull> for Parameters {
    fn from(Weibull { shape, scale }: Weibull) -> Self {
        Self { shape, scale }
    }
}

impl Weibull {
    /// The Weibull distribution with `shape` and `scale`; it begins at 0.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `shape` lies between 0.02 and 1000 and `scale` is finite and
    /// above 0.
    pub fn new(shape: f64, scale: f64) -> Result<Self, InputsError> {
        let usable = (0.02..=1e3).contains(&shape);
        Check("weibull")
            .that(usable, "shape", "between 0.02 and 1000", shape)?
            .positive("scale", scale)?;
        Ok(Self { shape, scale })
    }
}

impl Univariate for Weibull {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        self.scale * ((-ln_1m_exp(ln_p)).ln() / self.shape).exp()
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        self.scale * ((-ln_q).ln() / self.shape).exp()
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        ln_1m_exp(self.ln_sf(w))
    }

    fn ln_sf(&self, w: f64) -> f64 {
        -(w.max(0.0) / self.scale).powf(self.shape)
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        if w < 0.0 {
            return Some(f64::NEG_INFINITY);
        }
        let ln_x = (w / self.scale).ln();
        // At 0 a shape of 1 would give 0 times infinity.
        let excess = self.shape - 1.0;
        let power = if excess.abs() > 0.0 { excess * ln_x } else { 0.0 };
        Some(self.shape.ln() - self.scale.ln() + power + self.ln_sf(w))
    }

    fn mean(&self) -> f64 {
        self.scale * tgamma(1.0 + self.shape.recip())
    }

    /// $s \sqrt{\Gamma(1 + 2/k) - \Gamma(1 + 1/k)^2}$.
    fn sd(&self) -> f64 {
        let k = self.shape;
        let excess = lgamma(1.0 + 2.0 / k) - 2.0 * lgamma(1.0 + k.recip());
        self.mean() * excess.exp_m1().sqrt()
    }
}
