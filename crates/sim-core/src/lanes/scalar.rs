//! A plain `f64` as one lane.

use super::{Mask, Real, coefficients::double};

impl Real for f64 {
    type Mask = bool;

    const LANES: usize = 1;
    const TINY: f64 = 1e-100;
    const HALF_PI: [f64; 3] = double::HALF_PI;
    const SIN: &'static [f64] = &double::SIN;
    const COS: &'static [f64] = &double::COS;
    const ROUND: f64 = double::ROUND;

    #[inline(always)]
    fn lit(self, value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn load(self, numbers: &[f64]) -> Self {
        numbers[0]
    }
    #[inline(always)]
    fn store(self, out: &mut [f64]) {
        out[0] = self;
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.min(other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.max(other)
    }
    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self < other
    }
    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self <= other
    }
    #[inline(always)]
    fn eq(self, other: Self) -> bool {
        self == other
    }
    #[inline(always)]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
    #[inline(always)]
    fn range(self) -> (f64, f64) {
        (self, self)
    }
}

impl Mask for bool {
    #[inline(always)]
    fn any(self) -> bool {
        self
    }
}
