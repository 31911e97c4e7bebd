//! The regularised incomplete beta function $I_x(a, b)$ and its inverse.
//!
//! NIST Digital Library of Mathematical Functions 8.17.22 (continued fraction). The argument is given by
//! $y = \log(x / (1 - x))$, so that both $x$ and $1 - x$ keep all their digits.

use libm::lgamma;
use tails::normal::LN_2PI;

use super::{
    climb::concave_root,
    ln_1m_exp,
    stirling::{deviance, stirling_error},
};

/// $\log(1 + e^y)$.
pub(crate) fn ln_1p_exp(y: f64) -> f64 {
    if y > 0.0 { y + (-y).exp().ln_1p() } else { y.exp().ln_1p() }
}

/// $\log(x^a (1 - x)^b / B(a, b))$: the density of $y$.
pub(crate) fn ln_density(a: f64, b: f64, y: f64) -> f64 {
    let n = a + b;
    let (ln_x, ln_rest) = (-ln_1p_exp(-y), -ln_1p_exp(y));
    let part = |a: f64, ln_x: f64| {
        let ln_r = ln_x + (n / a).ln();
        a * deviance(ln_x.exp() * n / a, ln_r)
    };
    0.5 * (a.ln() + (b / n).ln() - LN_2PI) + stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - part(a, ln_x)
        - part(b, ln_rest)
}

/// $\log I_x(a, b)$.
pub(crate) fn ln_lower(a: f64, b: f64, y: f64) -> f64 {
    let x = (-ln_1p_exp(-y)).exp();
    if x <= (a + 1.0) / (a + b + 2.0) {
        (ln_density(a, b, y) - a.ln() + fraction(a, b, x).ln()).min(0.0)
    } else {
        let rest = (-ln_1p_exp(y)).exp();
        ln_1m_exp((ln_density(b, a, -y) - b.ln() + fraction(b, a, rest).ln()).min(0.0))
    }
}

/// The continued fraction by Lentz' method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let (mut f, mut c) = (1.0, 1.0);
    let mut d = (1.0 - (a + b) * x / (a + 1.0)).recip();
    f *= d;
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = (1.0 + even * d).recip();
        c = 1.0 + even / c;
        f *= c * d;
        d = (1.0 + odd * d).recip();
        c = 1.0 + odd / c;
        f *= c * d;
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    f
}

/// The $y$ with $\log I_x(a, b) = l$.
///
/// $\log I$ is concave in $y$, and $I \le e^{a y} / (a B(a, b))$ gives a point below the root.
pub(crate) fn lower_quantile(a: f64, b: f64, l: f64) -> f64 {
    let ln_beta = lgamma(a) + lgamma(b) - lgamma(a + b);
    concave_root((l + a.ln() + ln_beta) / a, |y| {
        let ln_p = ln_lower(a, b, y);
        (ln_p - l, (ln_density(a, b, y) - ln_p).exp())
    })
}
