//! Polynomials by Horner's rule.

use crate::lanes::Real;

/// Returns the value at `x` of the polynomial with the coefficients `c`, the constant term first.
#[inline(always)]
pub fn poly<R: Real, const N: usize>(x: R, c: [f64; N]) -> R {
    horner(x, &c)
}

/// [`poly`] for a slice of coefficients, for example [`Real::SIN`], whose number depends on the
/// precision.
///
/// # Panics
/// When `c` is empty.
#[inline(always)]
pub fn horner<R: Real>(x: R, c: &[f64]) -> R {
    let mut sum = x.lit(c[c.len() - 1]);
    for c in c[..c.len() - 1].iter().rev() {
        sum = sum * x + *c;
    }
    sum
}
