//! Sine and cosine without branches, so that a loop over trajectories is compiled to vector code
//! and the result does not depend on the machine's mathematical library.
//!
//! The argument is reduced by multiples of $\pi/2$ held in three parts (Cody and Waite); the
//! polynomials on $[-\pi/4, \pi/4]$ are those of fdlibm (Sun Microsystems, 1993).

/// Largest argument, in absolute value, for which [`sin_cos`] keeps its accuracy.
pub(crate) const MAX_ANGLE: f64 = 1e6;

/// Adding and subtracting this rounds to an integer, which then stands in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// $\pi/2$: two parts of 33 bits, so that their multiples are exact, and the rest.
const HALF_PI: [f64; 3] =
    [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];

/// `(sin x, cos x)` to within 1.2e-16 for $|x| \le 10^6$.
#[inline]
pub(crate) fn sin_cos(x: f64) -> (f64, f64) {
    let shifted = x * std::f64::consts::FRAC_2_PI + ROUND;
    let quadrant = shifted.to_bits();
    let k = shifted - ROUND;
    let r = ((x - k * HALF_PI[0]) - k * HALF_PI[1]) - k * HALF_PI[2];

    let z = r * r;
    let sin_tail = -1.666_666_666_666_663_2e-1
        + z * (8.333_333_333_322_49e-3
            + z * (-1.984_126_982_985_795e-4
                + z * (2.755_731_370_707_007e-6
                    + z * (-2.505_076_025_340_686_3e-8 + z * 1.589_690_995_211_55e-10))));
    let cos_tail = 4.166_666_666_666_66e-2
        + z * (-1.388_888_888_887_411e-3
            + z * (2.480_158_728_947_673e-5
                + z * (-2.755_731_435_139_066_3e-7
                    + z * (2.087_572_321_298_175e-9 - z * 1.135_964_755_778_819_5e-11))));
    let sin = r + r * z * sin_tail;
    let half = 0.5 * z;
    let w = 1.0 - half;
    let cos = w + (((1.0 - w) - half) + z * z * cos_tail);

    let odd = quadrant & 1 == 1;
    let (s, c) = if odd { (cos, sin) } else { (sin, cos) };
    // Sine is negative in quadrants 2 and 3, cosine in 1 and 2.
    let sign_s = (quadrant & 2) << 62;
    let sign_c = (quadrant.wrapping_add(1) & 2) << 62;
    (f64::from_bits(s.to_bits() ^ sign_s), f64::from_bits(c.to_bits() ^ sign_c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        let mut worst = 0.0_f64;
        let mut check = |x: f64| {
            let (s, c) = sin_cos(x);
            worst = worst.max((s - x.sin()).abs()).max((c - x.cos()).abs());
        };
        for i in -200_000..=200_000 {
            let t = f64::from(i) / 200_000.0;
            for scale in [7.0, 100.0, MAX_ANGLE] {
                check(scale * t);
            }
        }
        for q in -40..=40 {
            check(f64::from(q) * std::f64::consts::FRAC_PI_4);
        }
        assert!(worst <= 1.2e-16, "largest error {worst:e}");
    }

    #[test]
    fn not_a_number_stays_one() {
        assert!(sin_cos(f64::NAN).0.is_nan() && sin_cos(f64::INFINITY).1.is_nan());
    }
}
