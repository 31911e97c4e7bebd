//! Two registers as one set of lanes.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::{Mask, Real};

/// Two registers as one set of lanes: the processor can work on one while the other waits for the
/// result of a long operation, a division for example.
#[derive(Clone, Copy, Debug)]
pub struct Pair<R>(R, R);

/// Truth values of the lanes of a [`Pair`].
#[derive(Clone, Copy, Debug)]
pub struct PairMask<M>(M, M);

impl<R: Real> Pair<R> {
    /// Returns two registers with the lanes of `register` in both.
    #[inline(always)]
    pub fn new(register: R) -> Self {
        Self(register, register)
    }
}

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
    type Mask = PairMask<R::Mask>;

    const LANES: usize = 2 * R::LANES;
    const TINY: f64 = R::TINY;
    const HALF_PI: [f64; 3] = R::HALF_PI;
    const SIN: &'static [f64] = R::SIN;
    const COS: &'static [f64] = R::COS;
    const ROUND: f64 = R::ROUND;

    #[inline(always)]
    fn lit(self, value: f64) -> Self {
        Self(self.0.lit(value), self.1.lit(value))
    }
    #[inline(always)]
    fn load(self, numbers: &[f64]) -> Self {
        Self(self.0.load(numbers), self.1.load(&numbers[R::LANES..]))
    }
    #[inline(always)]
    fn store(self, out: &mut [f64]) {
        let (first, second) = out.split_at_mut(R::LANES);
        self.0.store(first);
        self.1.store(second);
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
        PairMask(self.0.lt(other.0), self.1.lt(other.1))
    }
    #[inline(always)]
    fn le(self, other: Self) -> Self::Mask {
        PairMask(self.0.le(other.0), self.1.le(other.1))
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Self::Mask {
        PairMask(self.0.eq(other.0), self.1.eq(other.1))
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Self(R::select(mask.0, yes.0, no.0), R::select(mask.1, yes.1, no.1))
    }
    #[inline(always)]
    fn range(self) -> (f64, f64) {
        let (first, second) = (self.0.range(), self.1.range());
        (first.0.min(second.0), first.1.max(second.1))
    }
}

impl<M: Mask> BitAnd for PairMask<M> {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0, self.1 & other.1)
    }
}

impl<M: Mask> BitOr for PairMask<M> {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0, self.1 | other.1)
    }
}

impl<M: Mask> Not for PairMask<M> {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Self(!self.0, !self.1)
    }
}

impl<M: Mask> Mask for PairMask<M> {
    #[inline(always)]
    fn any(self) -> bool {
        self.0.any() | self.1.any()
    }
}
