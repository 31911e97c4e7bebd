//! Exponential and natural logarithm on the ranges that occur.

use super::polynomial::horner;
use crate::lanes::Real;

/// $\ln 2$ in two parts; products of the first with a binary exponent are exact (fdlibm).
const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];

/// $2^{52}$; a number with this exponent holds an integer in its lowest bits.
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// $1 / k!$.
const INVERSE_FACTORIALS: [f64; 14] = [
    1.0,
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// $e^x$ for $x \le 0$, with a relative error of at most 5e-16; zero below $-700$.
///
/// $x = n \ln 2 + r$ with $|r| \le \frac12 \ln 2$; a Taylor polynomial gives $e^r$, and $n$ is written
/// into the exponent.
#[inline(always)]
pub fn exp_nonpositive(x: f64) -> f64 {
    let clamped = if x > -700.0 { x } else { -700.0 };
    // Adding this constant leaves the nearest integer in the lowest bits.
    let shifted = clamped * std::f64::consts::LOG2_E + f64::ROUND;
    let n = shifted - f64::ROUND;
    let r = (clamped - n * LN_2[0]) - n * LN_2[1];
    let value = horner(r, &INVERSE_FACTORIALS);
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x > -700.0 { value * power } else { 0.0 }
}

/// $\ln x$ for $2^{-64} \le x < 2$, with a relative error of at most 4e-16 (fdlibm, file `e_log.c`).
#[inline(always)]
pub fn ln_below_two(x: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_0000_0000;
    const EXPONENT: u64 = 0xfff << 52;
    // x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2).
    let above = x.to_bits().wrapping_sub(SQRT_HALF);
    let k =
        f64::from_bits(TWO_52.to_bits() | (above.wrapping_add(64 << 52) >> 52)) - (TWO_52 + 64.0);
    let f = f64::from_bits(x.to_bits().wrapping_sub(above & EXPONENT)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w
        * (3.999_999_999_940_942e-1
            + w * (2.222_219_843_214_978_4e-1 + w * 1.531_383_769_920_937_3e-1));
    let odd = z
        * (6.666_666_666_666_735e-1
            + w * (2.857_142_874_366_239e-1
                + w * (1.818_357_216_161_805e-1 + w * 1.479_819_860_511_658_6e-1)));
    let half = 0.5 * f * f;
    let low = s * (half + (even + odd)) + k * LN_2[1];
    k * LN_2[0] - ((half - low) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_accurate_over_its_range() {
        for i in 0..200_000 {
            let x = -f64::from(i) * 3.49e-3;
            let (actual, expected) = (exp_nonpositive(x), x.exp());
            assert!((actual - expected).abs() <= 5e-16 * expected, "{x}: {actual} {expected}");
        }
        assert!(exp_nonpositive(0.0).to_bits() == 1.0_f64.to_bits());
        assert!(exp_nonpositive(f64::NEG_INFINITY).abs() < f64::MIN_POSITIVE);
        assert!(exp_nonpositive(-1e300).abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn the_logarithm_is_accurate_over_its_range() {
        for i in 1..200_000_u32 {
            for x in [f64::from(i) / 200_000.0, f64::from(i) * 2.0_f64.powi(-33), 1.0] {
                let (actual, expected) = (ln_below_two(x), x.ln());
                assert!((actual - expected).abs() <= 4e-16 * expected.abs(), "ln {x}: {actual}");
            }
        }
    }
}
