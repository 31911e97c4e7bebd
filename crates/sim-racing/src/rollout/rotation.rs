//! Rotations by small angles.

use sim_core::lanes::{Mask, Real};

/// Largest angle for the polynomials, rad; their first neglected terms are below 1e-16 there.
const SMALL: f64 = 1.0 / 32.0;

/// Returns `(cos a, sin a)`. Lanes with an angle above [`SMALL`] use the functions of `libm`; the results
/// of all other lanes do not depend on whether such a lane exists.
#[inline(always)]
pub(super) fn rotation<R: Real>(a: R) -> (R, R) {
    let z = a * a;
    let cos = z * (z * (z * (-1.0 / 720.0) + 1.0 / 24.0) - 0.5) + 1.0;
    let sin = a * (z * (z * (z * (-1.0 / 5040.0) + 1.0 / 120.0) - 1.0 / 6.0) + 1.0);
    let large = a.lit(SMALL).lt(a.abs());
    if large.any() { slow(a, (cos, sin)) } else { (cos, sin) }
}

#[cold]
#[inline(never)]
fn slow<R: Real>(a: R, (cos, sin): (R, R)) -> (R, R) {
    let large = a.lit(SMALL).lt(a.abs());
    (R::select(large, a.map(libm::cos), cos), R::select(large, a.map(libm::sin), sin))
}

/// Returns `(cos, sin)` of the sum of two angles.
#[inline(always)]
pub(super) fn turn<R: Real>((cos, sin): (R, R), (c, s): (R, R)) -> (R, R) {
    (cos * c - sin * s, sin * c + cos * s)
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;
    use sim_core::lanes::{F64Lanes, MAX_LANES};

    use super::*;

    #[test]
    fn agrees_with_the_library() {
        let zero = F64Lanes::zero(Scalar);
        for i in -4000..=4000 {
            let angle = f64::from(i) / 20_000.0;
            let (cos, sin) = rotation(zero.lit(angle));
            let mut out = [[0.0; MAX_LANES]; 2];
            cos.store(&mut out[0]);
            sin.store(&mut out[1]);
            assert!((out[0][0] - libm::cos(angle)).abs() < 1.2e-16, "cos {angle}");
            assert!((out[1][0] - libm::sin(angle)).abs() < 1.2e-16, "sin {angle}");
        }
    }
}
