//! The log-normal distribution.

use serde::{Deserialize, Serialize};
use tails::normal::{LN_2PI, ln_cdf};

use super::Univariate;
use crate::{check::Check, error::InputsError, special::score::lower};

/// The log-normal distribution: $w = e^{\lambda + \zeta u}$.
///
/// In text it is given by `ln_mean` and `ln_sd`, the moments $\lambda$ and $\zeta$ of the logarithm, or
/// by `mean` and `sd` of the variable itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct LogNormal {
    ln_mean: f64,
    ln_sd: f64,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    ln_mean: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ln_sd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sd: Option<f64>,
}

impl TryFrom<Parameters> for LogNormal {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        match (p.ln_mean, p.ln_sd, p.mean, p.sd) {
            (Some(ln_mean), Some(ln_sd), None, None) => Self::new(ln_mean, ln_sd),
            (None, None, Some(mean), Some(sd)) => Self::from_moments(mean, sd),
            _ => Err(InputsError::Choice {
                distribution: "log_normal",
                first: "`ln_mean` and `ln_sd`",
                second: "`mean` and `sd`",
            }),
        }
    }
}

impl From<LogNormal> for Parameters {
    fn from(LogNormal { ln_mean, ln_sd }: LogNormal) -> Self {
        Self { ln_mean: Some(ln_mean), ln_sd: Some(ln_sd), ..Self::default() }
    }
}

impl LogNormal {
    /// The distribution of $e^z$ for a normal $z$ with mean `ln_mean` and standard deviation `ln_sd`.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `ln_mean` is finite and `ln_sd` finite and above 0.
    pub fn new(ln_mean: f64, ln_sd: f64) -> Result<Self, InputsError> {
        Check("log_normal").finite("ln_mean", ln_mean)?.positive("ln_sd", ln_sd)?;
        Ok(Self { ln_mean, ln_sd })
    }

    /// The log-normal distribution with `mean` and standard deviation `sd` of the variable itself:
    /// $\zeta^2 = \log(1 + (s / m)^2)$ and $\lambda = \log m - \zeta^2 / 2$.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless both are finite and above 0.
    pub fn from_moments(mean: f64, sd: f64) -> Result<Self, InputsError> {
        Check("log_normal").positive("mean", mean)?.positive("sd", sd)?;
        let variance = (sd / mean).powi(2).ln_1p();
        Self::new(mean.ln() - 0.5 * variance, variance.sqrt())
    }
}

impl Univariate for LogNormal {
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
        if w <= 0.0 {
            return Some(f64::NEG_INFINITY);
        }
        Some(-0.5 * (self.to_normal(w).powi(2) + LN_2PI) - self.ln_sd.ln() - w.ln())
    }

    fn mean(&self) -> f64 {
        (self.ln_mean + 0.5 * self.ln_sd.powi(2)).exp()
    }

    fn sd(&self) -> f64 {
        self.mean() * self.ln_sd.powi(2).exp_m1().sqrt()
    }

    fn at_normal(&self, u: f64) -> f64 {
        (self.ln_mean + self.ln_sd * u).exp()
    }

    fn to_normal(&self, w: f64) -> f64 {
        if w <= 0.0 { f64::NEG_INFINITY } else { (w.ln() - self.ln_mean) / self.ln_sd }
    }
}
