//! The Gumbel distribution of maxima.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{check::Check, error::InputsError, special::ln_1m_exp};

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// The Gumbel distribution of *maxima*, with its long tail above:
/// $P(W \le w) = \exp(-e^{-(w - \mu) / s})$ with location $\mu$ and scale $s$.
///
/// A distribution of minima is this one for $-W$. In text it is given by `location` and `scale`, or by
/// `mean` and `sd`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Gumbel {
    location: f64,
    scale: f64,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sd: Option<f64>,
}

impl TryFrom<Parameters> for Gumbel {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        match (p.location, p.scale, p.mean, p.sd) {
            (Some(location), Some(scale), None, None) => Self::new(location, scale),
            (None, None, Some(mean), Some(sd)) => Self::from_moments(mean, sd),
            _ => Err(InputsError::Choice {
                distribution: "gumbel",
                first: "`location` and `scale`",
                second: "`mean` and `sd`",
            }),
        }
    }
}

impl From<Gumbel> for Parameters {
    fn from(Gumbel { location, scale }: Gumbel) -> Self {
        Self { location: Some(location), scale: Some(scale), ..Self::default() }
    }
}

impl Gumbel {
    /// The Gumbel distribution of maxima with `location`, its mode, and `scale`.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `location` is finite and `scale` finite and above 0.
    pub fn new(location: f64, scale: f64) -> Result<Self, InputsError> {
        Check("gumbel").finite("location", location)?.positive("scale", scale)?;
        Ok(Self { location, scale })
    }

    /// The Gumbel distribution of maxima with `mean` and standard deviation `sd`:
    /// $s = \sigma \sqrt 6 / \pi$ and $\mu = m - \gamma s$ with Euler's constant $\gamma$.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `mean` is finite and `sd` finite and above 0.
    pub fn from_moments(mean: f64, sd: f64) -> Result<Self, InputsError> {
        Check("gumbel").finite("mean", mean)?.positive("sd", sd)?;
        let scale = sd * 6_f64.sqrt() / PI;
        Self::new(mean - EULER * scale, scale)
    }

    fn standardise(&self, w: f64) -> f64 {
        (w - self.location) / self.scale
    }
}

impl Univariate for Gumbel {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        self.location - self.scale * (-ln_p).ln()
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        // -log(1 - q) is q to rounding once q is small.
        let ln = if ln_q < -40.0 { ln_q } else { (-ln_1m_exp(ln_q)).ln() };
        self.location - self.scale * ln
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        -(-self.standardise(w)).exp()
    }

    fn ln_sf(&self, w: f64) -> f64 {
        let x = self.standardise(w);
        if x > 40.0 { -x } else { ln_1m_exp(self.ln_cdf(w)) }
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        Some(self.ln_cdf(w) - self.standardise(w) - self.scale.ln())
    }

    fn mean(&self) -> f64 {
        self.location + EULER * self.scale
    }

    fn sd(&self) -> f64 {
        self.scale * PI / 6_f64.sqrt()
    }
}
