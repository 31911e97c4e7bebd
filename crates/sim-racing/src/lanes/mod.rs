//! The numbers the vector code computes with: one rollout a lane, from one lane to two full registers.
//!
//! The code is written once over [`Real`]. No operation mixes lanes, and none is fused, so a rollout has
//! the same bits whichever register it travels in and whoever travels beside it.

mod pair;
mod register;

use std::ops::{Add, Div, Mul, Neg, Sub};

pub(crate) use pair::Pair;
pub(crate) use register::{F32Lanes, F64Lanes};

/// Most lanes of any [`Real`].
pub(crate) const MAX_LANES: usize = 32;

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
    type Mask: Copy;

    /// Number of lanes.
    const LANES: usize;
    /// So small that a number divided by it is large, so large that its square is a normal number.
    const TINY: f64;

    /// `value` in every lane.
    fn lit(self, value: f64) -> Self;
    /// The first [`LANES`](Self::LANES) numbers.
    fn load(self, numbers: &[f64]) -> Self;
    /// Copies the lanes to the start of `out`.
    fn store(self, out: &mut [f64; MAX_LANES]);
    fn abs(self) -> Self;
    fn sqrt(self) -> Self;
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    fn lt(self, other: Self) -> Self::Mask;
    fn le(self, other: Self) -> Self::Mask;
    /// Whether any lane of the mask holds.
    fn any(mask: Self::Mask) -> bool;
    /// `yes` where `mask` holds, `no` elsewhere.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// `value(i)` in lane `i`.
    #[inline(always)]
    fn fill(self, value: impl Fn(usize) -> f64) -> Self {
        let mut lanes = [0.0; MAX_LANES];
        for (i, lane) in lanes[..Self::LANES].iter_mut().enumerate() {
            *lane = value(i);
        }
        self.load(&lanes)
    }

    /// `self` kept between `low` and `high`.
    #[inline(always)]
    fn clip(self, low: f64, high: f64) -> Self {
        self.max(self.lit(low)).min(self.lit(high))
    }

    /// `f` of each lane in turn; slow, for rare cases.
    #[inline(always)]
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let mut lanes = [0.0; MAX_LANES];
        self.store(&mut lanes);
        self.fill(|i| f(lanes[i]))
    }
}
