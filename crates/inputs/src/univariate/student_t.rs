//! Student's t distribution.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

use libm::erf;
use serde::{Deserialize, Serialize};
use tails::normal;

use super::Univariate;
use crate::{
    check::Check,
    error::InputsError,
    special::{beta, ln_1m_exp, stirling::stirling_error},
};

/// Student's t distribution with $\nu$ degrees of freedom, a location and a scale:
/// $w = \mu + s x$ with
///
/// $$ P(X > x) = \tfrac12 I_z(\tfrac\nu2, \tfrac12), \qquad z = \frac{\nu}{\nu + x^2}, \qquad x \ge 0. $$
///
/// It has a mean for $\nu > 1$ and a standard deviation, which is not the scale, for $\nu > 2$.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct StudentT {
    location: f64,
    scale: f64,
    dof: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    location: f64,
    scale: f64,
    dof: f64,
}

impl TryFrom<Parameters> for StudentT {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.location, p.scale, p.dof)
    }
}

impl From<StudentT> for Parameters {
    fn from(StudentT { location, scale, dof }: StudentT) -> Self {
        Self { location, scale, dof }
    }
}

impl StudentT {
    /// Student's t distribution with `location`, `scale` and `dof` degrees of freedom.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless `location` is finite, `scale` finite and above 0, and `dof`
    /// between 0.5 and 1e6.
    pub fn new(location: f64, scale: f64, dof: f64) -> Result<Self, InputsError> {
        let usable = (0.5..=1e6).contains(&dof);
        Check("student_t").finite("location", location)?.positive("scale", scale)?.that(
            usable,
            "dof",
            "between 0.5 and 1e6",
            dof,
        )?;
        Ok(Self { location, scale, dof })
    }

    /// The standard variable $x \ge 0$ with $\log P(X > x)$ = `ln_q`.
    fn upper(&self, ln_q: f64) -> f64 {
        let y = beta::lower_quantile(0.5 * self.dof, 0.5, (ln_q + LN_2).min(0.0));
        (0.5 * (self.dof.ln() - y)).exp()
    }

    /// The same with $P(\lvert X \rvert < x) = e^l$, for small $x$.
    fn central(&self, l: f64) -> f64 {
        let y = beta::lower_quantile(0.5, 0.5 * self.dof, l);
        (0.5 * (self.dof.ln() + y)).exp()
    }

    /// $\log P(X > x)$ for $x \ge 0$.
    fn ln_upper(&self, x: f64) -> f64 {
        let y = self.dof.ln() - 2.0 * x.ln();
        if x == 0.0 { -LN_2 } else { beta::ln_lower(0.5 * self.dof, 0.5, y) - LN_2 }
    }

    fn standardise(&self, w: f64) -> f64 {
        (w - self.location) / self.scale
    }

    /// $\log P(X > x)$ for any $x$.
    fn ln_tail(&self, x: f64) -> f64 {
        if x.is_nan() {
            x
        } else if x.is_infinite() {
            if x > 0.0 { f64::NEG_INFINITY } else { 0.0 }
        } else if x < 0.0 {
            ln_1m_exp(self.ln_upper(-x))
        } else {
            self.ln_upper(x)
        }
    }
}

/// $\log(\Gamma(\tfrac{\nu + 1}2) / (\Gamma(\tfrac\nu2) \sqrt{\pi\nu}))$: the density at 0.
fn ln_peak(nu: f64) -> f64 {
    let a = 0.5 * nu;
    let ln_quotient =
        a * (0.5 / a).ln_1p() + 0.5 * a.ln() - 0.5 + stirling_error(a + 0.5) - stirling_error(a);
    ln_quotient - 0.5 * (PI * nu).ln()
}

impl Univariate for StudentT {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        self.location - self.scale * self.upper(ln_p)
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        self.location + self.scale * self.upper(ln_q)
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        self.ln_tail(-self.standardise(w))
    }

    fn ln_sf(&self, w: f64) -> f64 {
        self.ln_tail(self.standardise(w))
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        let (x, nu) = (self.standardise(w), self.dof);
        Some(ln_peak(nu) - 0.5 * (nu + 1.0) * (x * x / nu).ln_1p() - self.scale.ln())
    }

    fn mean(&self) -> f64 {
        if self.dof > 1.0 { self.location } else { f64::NAN }
    }

    fn sd(&self) -> f64 {
        if self.dof > 2.0 {
            self.scale * (self.dof / (self.dof - 2.0)).sqrt()
        } else if self.dof > 1.0 {
            f64::INFINITY
        } else {
            f64::NAN
        }
    }

    fn at_normal(&self, u: f64) -> f64 {
        if u.is_nan() || u == 0.0 {
            return self.location + u;
        }
        let size = u.abs();
        let x = if size < 0.6 {
            self.central(erf(size * FRAC_1_SQRT_2).ln())
        } else {
            self.upper(normal::ln_cdf(-size))
        };
        self.location + self.scale * x.copysign(u)
    }
}
