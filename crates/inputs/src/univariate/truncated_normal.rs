//! The truncated normal distribution.

use serde::{Deserialize, Serialize};
use tails::normal::LN_2PI;

use super::Univariate;
use crate::{
    check::Check,
    error::InputsError,
    special::interval::{Place, ln_mass, ln_mass_from, moments, quantile},
};

/// The normal distribution under the condition that the value lies between two bounds, each of which may
/// be infinite.
///
/// The parameters `mean` and `sd` are those of the normal distribution before it is cut;
/// [`Univariate::mean`] and [`Univariate::sd`] are those after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct TruncatedNormal {
    mean: f64,
    sd: f64,
    from: f64,
    to: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    mean: f64,
    sd: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<f64>,
}

impl TryFrom<Parameters> for TruncatedNormal {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        let (from, to) = (p.from.unwrap_or(f64::NEG_INFINITY), p.to.unwrap_or(f64::INFINITY));
        Self::new(p.mean, p.sd, from, to)
    }
}

impl From<TruncatedNormal> for Parameters {
    fn from(TruncatedNormal { mean, sd, from, to }: TruncatedNormal) -> Self {
        let finite = |bound: f64| bound.is_finite().then_some(bound);
        Self { mean, sd, from: finite(from), to: finite(to) }
    }
}

impl TruncatedNormal {
    /// The normal distribution with `mean` and `sd` between `from` and `to`; an infinite bound (in text: one
    /// that is left out) is none.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `mean` is finite, `sd` finite and above 0, `from < to`, and a
    /// part of the interval lies within 30 `sd` of `mean`.
    pub fn new(mean: f64, sd: f64, from: f64, to: f64) -> Result<Self, InputsError> {
        let (a, b) = ((from - mean) / sd, (to - mean) / sd);
        Check("truncated_normal")
            .finite("mean", mean)?
            .positive("sd", sd)?
            .that(a <= 30.0, "from", "a number at most 30 `sd` above `mean`", from)?
            .that(b >= -30.0, "to", "a number at most 30 `sd` below `mean`", to)?
            .that(a < b, "to", "above `from`", to)?;
        Ok(Self { mean, sd, from, to })
    }

    /// The standardised bounds.
    fn bounds(&self) -> (f64, f64) {
        (self.standardise(self.from), self.standardise(self.to))
    }

    fn standardise(&self, w: f64) -> f64 {
        (w - self.mean) / self.sd
    }
}

impl Univariate for TruncatedNormal {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        let (a, b) = self.bounds();
        let w = match quantile(a, b, ln_p) {
            Place::Distance(z) => self.from + self.sd * z,
            Place::Value(z) => self.mean + self.sd * z,
        };
        w.min(self.to)
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        let (a, b) = self.bounds();
        let w = match quantile(-b, -a, ln_q) {
            Place::Distance(z) => self.to - self.sd * z,
            Place::Value(z) => self.mean - self.sd * z,
        };
        w.max(self.from)
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        let (a, b) = self.bounds();
        let part = if self.from.is_finite() {
            ln_mass_from(a, ((w - self.from) / self.sd).min(b - a))
        } else {
            ln_mass(a, self.standardise(w).min(b))
        };
        (part - ln_mass(a, b)).min(0.0)
    }

    fn ln_sf(&self, w: f64) -> f64 {
        let (a, b) = self.bounds();
        let part = if self.to.is_finite() {
            ln_mass_from(-b, ((self.to - w) / self.sd).min(b - a))
        } else {
            ln_mass(self.standardise(w).max(a), b)
        };
        (part - ln_mass(a, b)).min(0.0)
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        if w < self.from || w > self.to {
            return Some(f64::NEG_INFINITY);
        }
        let (a, b) = self.bounds();
        let z = self.standardise(w);
        Some(-0.5 * (z * z + LN_2PI) - self.sd.ln() - ln_mass(a, b))
    }

    fn mean(&self) -> f64 {
        let (a, b) = self.bounds();
        self.mean + self.sd * moments(a, b).0
    }

    fn sd(&self) -> f64 {
        let (a, b) = self.bounds();
        self.sd * moments(a, b).1
    }
}
