//! The error of Stirling's formula and the deviance term: gamma and beta densities without cancellation.
//!
//! C. Loader: Fast and accurate computation of binomial probabilities (2000). With
//!
//! $$ \log\Gamma(a) = (a - \tfrac12)\log a - a + \tfrac12\log 2\pi + \delta(a), \qquad
//!    \psi(r) = r - 1 - \log r, $$
//!
//! the large terms of a density near its mode cancel in formulas instead of in numbers.

use libm::lgamma;
use tails::normal::LN_2PI;

/// The coefficients of Stirling's series (Abramowitz and Stegun 6.1.41).
const SERIES: [f64; 7] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360360.0,
    1.0 / 156.0,
];

/// $\delta(a)$ for $a > 0$.
pub(crate) fn stirling_error(a: f64) -> f64 {
    if a < 10.0 {
        return lgamma(a) - ((a - 0.5) * a.ln() - a + 0.5 * LN_2PI);
    }
    let q = (a * a).recip();
    SERIES.iter().rev().fold(0.0, |sum, c| sum * q + c) / a
}

/// $\psi(r) = r - 1 - \log r \ge 0$ from $r$ and $\log r$.
pub(crate) fn deviance(r: f64, ln_r: f64) -> f64 {
    let t = r - 1.0;
    if t.abs() > 0.3 {
        return t - ln_r;
    }
    // log(1 + t) = 2 (s + s^3/3 + s^5/5 + ...) with s = t / (2 + t), and t - 2 s = t s.
    let s = t / (2.0 + t);
    let q = s * s;
    let sum = (1..16).rev().fold(0.0, |sum, k| sum * q + f64::from(2 * k + 1).recip());
    t * s - 2.0 * s * q * sum
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these are exact")]
mod tests {
    use super::*;

    #[test]
    fn series_and_definition_meet() {
        let direct = |a: f64| lgamma(a) - ((a - 0.5) * a.ln() - a + 0.5 * LN_2PI);
        assert!((stirling_error(10.0) - direct(10.0)).abs() < 1e-14);
        // 1/(12 a) - 1/(360 a^3) at 1e3.
        assert!((stirling_error(1e3) / 8.333333055555635e-5 - 1.0).abs() < 1e-14);
        for t in [-0.29, -0.1, 0.1, 0.29_f64] {
            assert!((deviance(1.0 + t, t.ln_1p()) - (t - t.ln_1p())).abs() < 1e-16);
        }
        assert_eq!(deviance(1.0, 0.0), 0.0);
    }
}
