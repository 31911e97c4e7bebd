//! Elementary functions in single precision without branches, so that the compiler turns loops over
//! them into vector instructions.
//!
//! The tests at the end of this file bound their errors.

/// $e^x$ for `x` from -87 to 88; smaller and larger arguments are replaced by these bounds.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // x = n ln 2 + r with |r| <= ln(2)/2; adding 1.5 * 2^23 rounds and leaves n in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    // Taylor series to the seventh power; the remainder is below 1e-8.
    let p = 1.0 / 5040.0;
    let p = p * r + 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    let scale = f32::from_bits((shifted.to_bits().wrapping_add(127)) << 23);
    p * scale
}

/// $\ln x$ of a positive normal number.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    // x = 2^n m with m in [sqrt(1/2), sqrt(2)).
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    let n = (bits as i32) >> 23;
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(SQRT_HALF));
    // ln m = 2 artanh s, s = (m - 1) / (m + 1), |s| < 0.172.
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let p = 2.0 / 9.0;
    let p = p * q + 2.0 / 7.0;
    let p = p * q + 2.0 / 5.0;
    let p = p * q + 2.0 / 3.0;
    let p = p * q * s + 2.0 * s;
    let n = n as f32;
    n * 0.693_359_4 + (n * -2.121_944_4e-4 + p)
}

/// $\ln(1 + e^v)$.
#[inline(always)]
pub(super) fn softplus(v: f32) -> f32 {
    let u = exp(-v.abs());
    // ln(1 + u), corrected for the rounding of 1 + u (Goldberg 1991, theorem 4).
    let w = 1.0 + u;
    let rest = w - 1.0;
    let small = rest == 0.0;
    let divisor = if small { 1.0 } else { rest };
    let corrected = ln(w) * (u / divisor);
    v.max(0.0) + if small { u } else { corrected }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest relative error over points from `low` to `high`.
    fn worst(low: f32, high: f32, ours: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        (0..=100_000)
            .map(|i| low + (high - low) * i as f32 / 100_000.0)
            .map(|x| {
                let truth = exact(f64::from(x));
                (f64::from(ours(x)) - truth).abs() / truth.abs().max(f64::from(f32::MIN_POSITIVE))
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn functions_are_good_to_single_precision() {
        // One unit in the last place is between 6e-8 and 1.2e-7.
        assert!(worst(-86.0, 87.0, exp, f64::exp) < 3e-7);
        assert!(worst(1.5, 1e6, ln, f64::ln) < 3e-7);
        assert!(worst(1e-6, 0.7, ln, f64::ln) < 3e-7);
        assert!(worst(-80.0, 40.0, softplus, |v| v.exp().ln_1p()) < 6e-7);
    }

    #[test]
    fn logarithms_near_one_are_absolutely_good() {
        for i in -1000..=1000 {
            let x = 1.0 + i as f32 * 1e-4;
            assert!((f64::from(ln(x)) - f64::from(x).ln()).abs() < 2e-8);
        }
    }

    #[test]
    fn extremes_stay_finite() {
        assert!(exp(-1e9) < 1e-37 && exp(1e9).is_finite());
        assert!((softplus(1e9) - 1e9).abs() < 1.0 && softplus(-1e9) >= 0.0);
    }
}
