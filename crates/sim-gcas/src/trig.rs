//! Sine and cosine in lanes.

use crate::real::{Mask, Real, horner};

/// `(sin x, cos x)`, to a unit in the last place or so for $|x| \le 10^6$ (f64) or $10^3$ (f32).
///
/// The argument is reduced by multiples of $\pi/2$ (Cody and Waite); lanes that need no reduction
/// have the same bits whether or not a neighbour needs one.
#[inline(always)]
pub(crate) fn sin_cos<R: Real>(x: R) -> (R, R) {
    if !x.lit(std::f64::consts::FRAC_PI_4).lt(x.abs()).any() {
        return kernel(x);
    }
    let k = (x * std::f64::consts::FRAC_2_PI).round();
    let [a, b, c] = R::HALF_PI;
    let (s, c) = kernel(((x - k * a) - k * b) - k * c);
    let quadrant = k - (k * 0.25).round() * 4.0; // -2 ..= 2, congruent to k
    let odd = quadrant.abs().eq(x.lit(1.0));
    let (s, c) = (R::select(odd, c, s), R::select(odd, s, c));
    // Sine is negative in quadrants 2 (or -2) and -1, cosine in 1 and 2.
    let one = x.lit(1.0);
    let negative_sin = one.lt((quadrant - 0.5).abs());
    let negative_cos = one.lt((quadrant + 0.5).abs());
    (R::select(negative_sin, -s, s), R::select(negative_cos, -c, c))
}

/// Both on $[-\pi/4, \pi/4]$.
#[inline(always)]
fn kernel<R: Real>(r: R) -> (R, R) {
    let z = r * r;
    let sin = r + r * z * horner(z, R::SIN);
    let cos = (z * horner(z, R::COS) - 0.5) * z + 1.0;
    (sin, cos)
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
        let zero = F64Lanes::zero(Scalar);
        for largest in [0.8, 7.0, 100.0, 1e6] {
            let error = worst(zero, largest, |x| x);
            assert!(error <= 2.3e-16, "{error:e} up to {largest}");
        }
        let zero = F32Lanes::zero(Scalar);
        for largest in [0.8, 7.0, 100.0] {
            let error = worst(zero, largest, |x| f64::from(x as f32));
            assert!(error <= 1.3e-7, "{error:e} up to {largest}");
        }
    }
}
