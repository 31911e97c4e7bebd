//! Distributions of one variable.

pub(crate) mod beta;
pub(crate) mod constant;
pub(crate) mod discrete;
pub(crate) mod exponential;
pub(crate) mod gamma;
pub(crate) mod gumbel;
pub(crate) mod log_normal;
pub(crate) mod normal;
pub(crate) mod student_t;
pub(crate) mod table;
pub(crate) mod triangular;
pub(crate) mod truncated_normal;
pub(crate) mod uniform;
pub(crate) mod weibull;

use tails::normal::ln_cdf;

use crate::special::score::score;

/// A distribution of one variable, as an increasing function of a standard normal number $u$:
///
/// $$ w = F^{-1}(\Phi(u)). $$
///
/// Both tails are computed from logarithms of probabilities, the upper one from $\log\Phi(-u)$, so that
/// $u = 12$ or $u = 30$ has a right and finite value wherever the distribution is not bounded.
pub trait Univariate {
    /// The quantile of $\log p$, for $p \le 1/2$.
    fn lower_quantile(&self, ln_p: f64) -> f64;

    /// The value that is exceeded with probability $q$, from $\log q$, for $q \le 1/2$.
    fn upper_quantile(&self, ln_q: f64) -> f64;

    /// $\log P(W \le w)$.
    fn ln_cdf(&self, w: f64) -> f64;

    /// $\log P(W > w)$.
    fn ln_sf(&self, w: f64) -> f64;

    /// The logarithm of the density at `w`, minus infinity outside the support; `None` where the
    /// distribution has no density.
    fn ln_pdf(&self, w: f64) -> Option<f64>;

    /// The mean; NaN where there is none.
    fn mean(&self) -> f64;

    /// The standard deviation; infinite or NaN where there is none.
    fn sd(&self) -> f64;

    /// The value at the standard normal number `u`.
    fn at_normal(&self, u: f64) -> f64 {
        if u.is_nan() {
            u
        } else if u <= 0.0 {
            self.lower_quantile(ln_cdf(u))
        } else {
            self.upper_quantile(ln_cdf(-u))
        }
    }

    /// The standard normal number of the value `w`; minus and plus infinity beyond the support.
    ///
    /// It inverts [`at_normal`](Self::at_normal) as far as `w` has digits to tell values apart: close to
    /// a bound other than zero many `u` share one `w`.
    fn to_normal(&self, w: f64) -> f64 {
        if w.is_nan() { w } else { score(self.ln_cdf(w), self.ln_sf(w)) }
    }
}
