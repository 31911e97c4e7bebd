//! The beta distribution.

use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{
    check::Check,
    error::InputsError,
    special::beta::{ln_1p_exp, ln_density, ln_lower, lower_quantile},
};

/// The beta distribution on an interval $[a, b]$: density
/// $\propto (w - a)^{\alpha - 1} (b - w)^{\beta - 1}$.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Beta {
    a: f64,
    b: f64,
    from: f64,
    to: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    alpha: f64,
    beta: f64,
    #[serde(default)]
    from: f64,
    #[serde(default = "one")]
    to: f64,
}

fn one() -> f64 {
    1.0
}

impl TryFrom<Parameters> for Beta {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.alpha, p.beta, p.from, p.to)
    }
}

impl From<Beta> for Parameters {
    fn from(Beta { a, b, from, to }: Beta) -> Self {
        Self { alpha: a, beta: b, from, to }
    }
}

impl Beta {
    /// The beta distribution with shapes `alpha` and `beta` between `from` and `to` (in text 0 and 1
    /// where they are not given).
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless both shapes lie between 0.001 and 1e6 and the bounds are finite
    /// with `from < to`.
    pub fn new(alpha: f64, beta: f64, from: f64, to: f64) -> Result<Self, InputsError> {
        Check("beta").shape("alpha", alpha)?.shape("beta", beta)?.range(from, to)?;
        Ok(Self { a: alpha, b: beta, from, to })
    }

    /// $\log(x / (1 - x))$ of the place of `w` between the bounds.
    fn logit(&self, w: f64) -> f64 {
        (w - self.from).max(0.0).ln() - (self.to - w).max(0.0).ln()
    }

    /// The value with this logit, from the bound that is closer.
    fn at_logit(&self, y: f64) -> f64 {
        let distance = (self.to - self.from) * (-ln_1p_exp(y.abs())).exp();
        if y < 0.0 { self.from + distance } else { self.to - distance }
    }
}

impl Univariate for Beta {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        self.at_logit(lower_quantile(self.a, self.b, ln_p))
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        self.at_logit(-lower_quantile(self.b, self.a, ln_q))
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        if w <= self.from {
            f64::NEG_INFINITY
        } else if w >= self.to {
            0.0
        } else {
            ln_lower(self.a, self.b, self.logit(w))
        }
    }

    fn ln_sf(&self, w: f64) -> f64 {
        if w <= self.from {
            0.0
        } else if w >= self.to {
            f64::NEG_INFINITY
        } else {
            ln_lower(self.b, self.a, -self.logit(w))
        }
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        if w < self.from || w > self.to {
            return Some(f64::NEG_INFINITY);
        }
        let width = self.to - self.from;
        if w > self.from && w < self.to {
            let ln_slope = ((w - self.from) / width).ln() + (self.to - w).ln();
            return Some(ln_density(self.a, self.b, self.logit(w)) - ln_slope);
        }
        // At a bound: infinite, finite or zero by the shape there.
        let (here, other) = if w <= self.from { (self.a, self.b) } else { (self.b, self.a) };
        Some(if here > 1.0 {
            f64::NEG_INFINITY
        } else if here < 1.0 {
            f64::INFINITY
        } else {
            other.ln() - width.ln()
        })
    }

    fn mean(&self) -> f64 {
        self.from + (self.to - self.from) * self.a / (self.a + self.b)
    }

    fn sd(&self) -> f64 {
        let n = self.a + self.b;
        (self.to - self.from) * (self.a / n * (self.b / n) / (n + 1.0)).sqrt()
    }
}
