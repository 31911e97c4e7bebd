//! From logarithmic probabilities to standard normal scores.

use tails::normal::inverse_ln_cdf;

/// The $u$ with $\log\Phi(u)$ = `ln_cdf` and $\log\Phi(-u)$ = `ln_sf`, by the smaller of the two.
pub(crate) fn score(ln_cdf: f64, ln_sf: f64) -> f64 {
    if ln_cdf.is_nan() || ln_sf.is_nan() {
        f64::NAN
    } else if ln_cdf <= ln_sf {
        lower(ln_cdf)
    } else {
        -lower(ln_sf)
    }
}

/// The $u \le 0$ with $\log\Phi(u) = l$; minus infinity for probability 0.
pub(crate) fn lower(l: f64) -> f64 {
    if l == f64::NEG_INFINITY { l } else { inverse_ln_cdf(l) }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these are exact")]
mod tests {
    use super::*;

    #[test]
    fn probability_zero_is_an_infinite_score() {
        assert_eq!(score(f64::NEG_INFINITY, 0.0), f64::NEG_INFINITY);
        assert_eq!(score(0.0, f64::NEG_INFINITY), f64::INFINITY);
        assert!(score(f64::NAN, 0.0).is_nan());
    }
}
