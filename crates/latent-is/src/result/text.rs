//! Probabilities as text.

use std::f64::consts::LN_10;

/// Logarithm of the smallest number that is written from its own digits.
const SMALLEST: f64 = -690.0;

/// `exp(ln_p)` with `digits` digits after the point, as `1.30e-545`. Below 1e-300 the digits come from the
/// logarithm: double-precision numbers end there.
///
/// ```
/// assert_eq!(latent_is::scientific(0.0123_f64.ln(), 2), "1.23e-2");
/// assert_eq!(latent_is::scientific(-545.0 * std::f64::consts::LN_10, 0), "1e-545");
/// assert_eq!(latent_is::scientific(f64::NEG_INFINITY, 1), "0.0e0");
/// ```
pub fn scientific(ln_p: f64, digits: usize) -> String {
    if ln_p > SMALLEST || !ln_p.is_finite() {
        return format!("{:.digits$e}", ln_p.exp());
    }
    let log = ln_p / LN_10;
    let exponent = log.floor();
    let text = format!("{:.digits$}", 10_f64.powf(log - exponent));
    // Rounding may give 10.
    match text.strip_prefix("10") {
        Some(rest) => format!("1{rest}e{}", exponent + 1.0),
        None => format!("{text}e{exponent}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_below_the_range_of_numbers_keep_their_digits() {
        for (log, digits, expected) in [
            (-545.0 + 1.3_f64.log10(), 2, "1.30e-545"),
            (-400.0 + 9.9999_f64.log10(), 1, "1.0e-399"),
            (-1_000_000.0, 0, "1e-1000000"),
            (-299.0 + 2.5_f64.log10(), 1, "2.5e-299"),
        ] {
            assert_eq!(scientific(log * LN_10, digits), expected);
        }
        assert_eq!(scientific(1.5e-305_f64.ln(), 4), "1.5000e-305");
    }
}
