//! Two registers that travel as one: while one waits for a division, the other computes.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{MAX_LANES, Real};

/// Two registers.
#[derive(Clone, Copy)]
pub(crate) struct Pair<R>(pub(crate) R, pub(crate) R);

impl<R: Real> Neg for Pair<R> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0, -self.1)
    }
}

macro_rules! both {
    ($($trait:ident $method:ident),*; $($constant:ident $name:ident),*) => {
        $(impl<R: Real> $trait for Pair<R> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self($trait::$method(self.0, other.0), $trait::$method(self.1, other.1))
            }
        })*
        $(impl<R: Real> $constant<f64> for Pair<R> {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: f64) -> Self {
                Self($constant::$name(self.0, other), $constant::$name(self.1, other))
            }
        })*
    };
}

both!(Add add, Sub sub, Mul mul, Div div; Add add, Sub sub, Mul mul);

impl<R: Real> Real for Pair<R> {
    type Mask = (R::Mask, R::Mask);

    const LANES: usize = 2 * R::LANES;
    const TINY: f64 = R::TINY;

    #[inline(always)]
    fn lit(self, value: f64) -> Self {
        Self(self.0.lit(value), self.1.lit(value))
    }
    #[inline(always)]
    fn load(self, numbers: &[f64]) -> Self {
        Self(self.0.load(numbers), self.1.load(&numbers[R::LANES..]))
    }
    #[inline(always)]
    fn store(self, out: &mut [f64; MAX_LANES]) {
        let mut second = [0.0; MAX_LANES];
        self.0.store(out);
        self.1.store(&mut second);
        out[R::LANES..2 * R::LANES].copy_from_slice(&second[..R::LANES]);
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs(), self.1.abs())
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt(), self.1.sqrt())
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0), self.1.min(other.1))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0), self.1.max(other.1))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        (self.0.lt(other.0), self.1.lt(other.1))
    }
    #[inline(always)]
    fn le(self, other: Self) -> Self::Mask {
        (self.0.le(other.0), self.1.le(other.1))
    }
    #[inline(always)]
    fn any(mask: Self::Mask) -> bool {
        R::any(mask.0) | R::any(mask.1)
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Self(R::select(mask.0, yes.0, no.0), R::select(mask.1, yes.1, no.1))
    }
}
