//! Sine and cosine.
//!
//! Angles are reduced by multiples of $\pi/2$ held in three parts (Cody and Waite); polynomials
//! approximate sine and cosine on $[-\pi/4, \pi/4]$ (fdlibm in `f64`, Cephes in `f32`).

use std::f64::consts::{FRAC_2_PI, FRAC_PI_4};

use super::polynomial::horner;
use crate::lanes::{Mask, Real};

/// Largest absolute value of an angle, rad, for which [`sin_cos`] and [`sin_cos_any`] keep their accuracy
/// in double precision.
pub const MAX_ANGLE: f64 = 1e6;

/// `(sin x, cos x)` in lanes, with an absolute error of at most 2.3e-16 for $|x| \le 10^6$ (`f64`) or
/// 1.3e-7 for $|x| \le 100$ (`f32`).
///
/// The reduction is skipped when no lane needs it. Lanes that need none have the same bits in both
/// cases.
#[inline(always)]
pub fn sin_cos<R: Real>(x: R) -> (R, R) {
    if !x.lit(FRAC_PI_4).lt(x.abs()).any() {
        return sin_cos_reduced(x);
    }
    let k = (x * FRAC_2_PI).round();
    let [a, b, c] = R::HALF_PI;
    let (s, c) = sin_cos_reduced(((x - k * a) - k * b) - k * c);
    let quadrant = k - (k * 0.25).round() * 4.0; // -2 ..= 2, congruent to k modulo 4
    let odd = quadrant.abs().eq(x.lit(1.0));
    let (s, c) = (R::select(odd, c, s), R::select(odd, s, c));
    // Sine is negative in quadrants 2 (or -2) and -1, cosine in 1 and 2.
    let one = x.lit(1.0);
    let negative_sin = one.lt((quadrant - 0.5).abs());
    let negative_cos = one.lt((quadrant + 0.5).abs());
    (R::select(negative_sin, -s, s), R::select(negative_cos, -c, c))
}

/// `(sin r, cos r)` for $|r| \le \pi/4$, with the error of [`sin_cos`].
#[inline(always)]
pub fn sin_cos_reduced<R: Real>(r: R) -> (R, R) {
    let z = r * r;
    let sin = r + r * z * horner(z, R::SIN);
    let cos = (z * horner(z, R::COS) - 0.5) * z + 1.0;
    (sin, cos)
}

/// `(sin x, cos x)` with an absolute error of at most 1.2e-16 for $|x| \le 10^6$, without a branch, so
/// that a loop over it is compiled to vector code without explicit lanes.
///
/// The cosine is computed more accurately than by [`sin_cos`]: the last bits of the two functions
/// differ.
#[inline]
pub fn sin_cos_any(x: f64) -> (f64, f64) {
    // Adding this constant leaves the nearest integer in the lowest bits.
    let shifted = x * FRAC_2_PI + f64::ROUND;
    let quadrant = shifted.to_bits();
    let k = shifted - f64::ROUND;
    let [a, b, c] = f64::HALF_PI;
    let r = ((x - k * a) - k * b) - k * c;

    let z = r * r;
    let sin = r + r * z * horner(z, f64::SIN);
    let half = 0.5 * z;
    let w = 1.0 - half;
    let cos = w + (((1.0 - w) - half) + z * z * horner(z, f64::COS));

    let odd = quadrant & 1 == 1;
    let (s, c) = if odd { (cos, sin) } else { (sin, cos) };
    // Sine is negative in quadrants 2 and 3, cosine in 1 and 2.
    let sign_s = (quadrant & 2) << 62;
    let sign_c = (quadrant.wrapping_add(1) & 2) << 62;
    (f64::from_bits(s.to_bits() ^ sign_s), f64::from_bits(c.to_bits() ^ sign_c))
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;
    use crate::lanes::{F32Lanes, F64Lanes};

    fn worst<R: Real>(zero: R, largest: f64, round: impl Fn(f64) -> f64) -> f64 {
        let mut worst = 0.0_f64;
        for i in -100_000..=100_000 {
            let x = round(largest * f64::from(i) / 100_000.0);
            let (s, c) = sin_cos(zero.lit(x));
            let mut out = [0.0; 2];
            s.store(&mut out[..1]);
            c.store(&mut out[1..]);
            worst = worst.max((out[0] - x.sin()).abs()).max((out[1] - x.cos()).abs());
        }
        worst
    }

    #[test]
    fn agrees_with_the_standard_library() {
        for largest in [0.8, 7.0, 100.0, 1e6] {
            let error = worst(F64Lanes::zero(Scalar), largest, |x| x);
            assert!(error <= 2.3e-16, "{error:e} up to {largest}");
            assert!(worst(0.0, largest, |x| x) <= error);
        }
        let zero = F32Lanes::zero(Scalar);
        for largest in [0.8, 7.0, 100.0] {
            let error = worst(zero, largest, |x| f64::from(x as f32));
            assert!(error <= 1.3e-7, "{error:e} up to {largest}");
        }
    }

    #[test]
    fn without_branches_it_agrees_with_the_standard_library() {
        let mut worst = 0.0_f64;
        let mut check = |x: f64| {
            let (s, c) = sin_cos_any(x);
            worst = worst.max((s - x.sin()).abs()).max((c - x.cos()).abs());
        };
        for i in -200_000..=200_000 {
            let t = f64::from(i) / 200_000.0;
            for scale in [7.0, 100.0, MAX_ANGLE] {
                check(scale * t);
            }
        }
        for q in -40..=40 {
            check(f64::from(q) * FRAC_PI_4);
        }
        assert!(worst <= 1.2e-16, "largest error {worst:e}");
    }

    #[test]
    fn not_a_number_stays_one() {
        assert!(sin_cos_any(f64::NAN).0.is_nan() && sin_cos_any(f64::INFINITY).1.is_nan());
        assert!(sin_cos(f64::NAN).0.is_nan() && sin_cos(f64::INFINITY).1.is_nan());
    }
}
