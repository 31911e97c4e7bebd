//! The numbers the model computes with: one trajectory a lane, from one lane to a full register.
//!
//! Every sub-model is written once over [`Real`]. No operation mixes lanes, and none is fused, so a
//! trajectory has the same bits whichever register it travels in and whoever travels beside it.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// Numbers of one precision, one in each lane. A plain `f64` beside one means that constant in
/// every lane.
pub(crate) trait Real:
    Copy
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
{
    /// One truth value a lane.
    type Mask: Mask;

    /// Number of lanes.
    const LANES: usize;
    /// $\pi/2$ in three parts; multiples of the first two are exact.
    const HALF_PI: [f64; 3];
    /// Coefficients of $(\sin r - r) / r^3$ in $r^2$ on $[-\pi/4, \pi/4]$.
    const SIN: &'static [f64];
    /// Coefficients of $(\cos r - 1 + r^2/2) / r^4$ in $r^2$ on $[-\pi/4, \pi/4]$.
    const COS: &'static [f64];
    /// Adding and subtracting this rounds to the nearest integer, halves to even.
    const ROUND: f64;

    /// `value` in every lane.
    fn lit(self, value: f64) -> Self;
    /// `value(i)` in lane `i`.
    fn fill(self, value: impl Fn(usize) -> f64) -> Self;
    /// Copies the lanes to the start of `out`.
    fn store(self, out: &mut [f64]);
    fn abs(self) -> Self;
    fn sqrt(self) -> Self;
    fn lt(self, other: Self) -> Self::Mask;
    fn le(self, other: Self) -> Self::Mask;
    fn eq(self, other: Self) -> Self::Mask;
    /// `yes` where `mask` holds, `no` elsewhere.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// Smallest and largest lane, of lanes that are all numbers.
    fn range(self) -> (f64, f64);

    /// The nearest integer, halves to even; exact below 2^51 (f64) or 2^22 (f32).
    #[inline(always)]
    fn round(self) -> Self {
        (self + Self::ROUND) - Self::ROUND
    }

    /// `self` kept between `low` and `high`; not-a-number stays one.
    #[inline(always)]
    fn clip(self, low: f64, high: f64) -> Self {
        let (low, high) = (self.lit(low), self.lit(high));
        let raised = Self::select(self.lt(low), low, self);
        Self::select(high.lt(raised), high, raised)
    }

    /// Index of the table cell `self` falls in: rounded down and kept between `first` and `last`;
    /// `first` for not-a-number.
    #[inline(always)]
    fn cell(self, first: i32, last: i32) -> Self {
        let (first, last) = (self.lit(f64::from(first)), self.lit(f64::from(last)));
        let x = Self::select(first.lt(self), self, first);
        let x = Self::select(last.lt(x), last, x);
        let near = x.round();
        Self::select(x.lt(near), near - 1.0, near)
    }

    /// `f` of each lane in turn; slow, for rare cases.
    #[inline(always)]
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let mut lanes = [0.0; 16];
        self.store(&mut lanes);
        self.fill(|i| f(lanes[i]))
    }
}

/// One truth value a lane.
pub(crate) trait Mask:
    Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self>
{
    /// Whether any lane holds.
    fn any(self) -> bool;
}

/// The polynomial with ascending coefficients `c`, by Horner's rule.
#[inline(always)]
pub(crate) fn poly<R: Real, const N: usize>(x: R, c: [f64; N]) -> R {
    horner(x, &c)
}

/// [`poly`] for coefficients whose number depends on the precision.
#[inline(always)]
pub(crate) fn horner<R: Real>(x: R, c: &[f64]) -> R {
    let mut sum = x.lit(c[c.len() - 1]);
    for c in c[..c.len() - 1].iter().rev() {
        sum = sum * x + *c;
    }
    sum
}
