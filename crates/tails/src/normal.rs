//! The standard normal distribution far in its tails.

use libm::erfc;

/// Natural logarithm of $2\pi$.
pub const LN_2PI: f64 = 1.837_877_066_409_345_3;

/// Standard normal density $\varphi(z)$.
pub fn pdf(z: f64) -> f64 {
    (-0.5 * (z * z + LN_2PI)).exp()
}

/// Standard normal distribution function $\Phi(z)$, accurate to rounding in the lower tail.
pub fn cdf(z: f64) -> f64 {
    0.5 * erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// $\log \Phi(z)$, accurate to rounding on both sides and for any finite `z`.
///
/// Below $-5$ it is $\log\varphi(z)$ plus the logarithm of Mills' ratio by Laplace's continued
/// fraction (Abramowitz and Stegun 26.2.14), whose terms matter the less the larger $|z|$.
pub fn ln_cdf(z: f64) -> f64 {
    if z < -5.0 {
        let x = -z;
        let terms = 2 + (110.0 / x).ceil() as u32;
        let tail = (1..=terms).rev().fold(x, |t, i| x + f64::from(i) / t);
        -0.5 * (z * z + LN_2PI) - tail.ln()
    } else if z < 0.0 {
        cdf(z).ln()
    } else {
        (-cdf(-z)).ln_1p()
    }
}

/// The $z \le 0$ with $\log\Phi(z) = l$, for $l \le \log\frac12$ (larger ones give zero): Newton steps on
/// a concave function, from a point below the root. The logarithm of zero gives minus infinity.
pub fn inverse_ln_cdf(l: f64) -> f64 {
    if l == f64::NEG_INFINITY {
        return l;
    }
    let mut z = -(-2.0 * l).max(0.0).sqrt();
    for _ in 0..100 {
        let cdf = ln_cdf(z);
        let slope = (-0.5 * (z * z + LN_2PI) - cdf).exp();
        let next = (z - (cdf - l) / slope).min(0.0);
        if (next - z).abs() <= 1e-15 * z.abs() {
            return next;
        }
        z = next;
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    // log(Phi(z)) in 40-digit decimal arithmetic.
    const REFERENCE: [(f64, f64); 6] = [
        (-1000.0, -500007.8266948122),
        (-40.0, -804.6084420137538),
        (-5.5, -17.77937635262526),
        (-4.9, -14.551182689355311),
        (0.0, -std::f64::consts::LN_2),
        (6.0, -9.865876455243757e-10),
    ];

    #[test]
    fn log_of_the_cdf_agrees_with_decimal_arithmetic() {
        for (z, expected) in REFERENCE {
            let actual = ln_cdf(z);
            assert!((actual / expected - 1.0).abs() < 1e-12, "{z}: {actual} against {expected}");
        }
    }

    #[test]
    fn quantiles_invert_the_log_cdf() {
        for z in [-38.0, -8.5, -5.0, -1.3, -1e-3, 0.0] {
            assert!((inverse_ln_cdf(ln_cdf(z)) - z).abs() < 1e-12);
        }
        assert!(inverse_ln_cdf(f64::NEG_INFINITY).is_infinite());
    }
}
