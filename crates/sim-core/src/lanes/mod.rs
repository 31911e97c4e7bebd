//! Vector lanes: several numbers that take part in the same operation, one in each lane of a register.
//!
//! Code is written once, generic over [`Real`], and runs on one number (`f64`), on the lanes of one
//! register ([`F64Lanes`], [`F32Lanes`]) or on those of two registers ([`Pair`]). No operation of
//! [`Real`] mixes lanes, and no multiplication is fused with an addition. The result in a lane
//! therefore has the same bits on every instruction set and for any values in the other lanes, as long as
//! the operands of minimum and maximum are not NaN.
//!
//! ```
//! use pulp::{Arch, Simd, WithSimd};
//! use sim_core::lanes::{F64Lanes, Real};
//!
//! /// One step of a harmonic oscillator, position and velocity, for any kind of lane.
//! #[inline(always)]
//! fn step<R: Real>(x: R, v: R) -> (R, R) {
//!     let v = v - x * 0.01;
//!     (x + v * 0.01, v)
//! }
//!
//! /// A thousand steps from each of the starting points.
//! struct Swing<'a>(&'a mut [f64]);
//!
//! impl WithSimd for Swing<'_> {
//!     type Output = ();
//!     #[inline(always)]
//!     fn with_simd<S: Simd>(self, simd: S) {
//!         let zero = F64Lanes::zero(simd);
//!         for x in self.0.chunks_exact_mut(S::F64_LANES) {
//!             let (mut position, mut velocity) = (zero.load(x), zero);
//!             for _ in 0..1000 {
//!                 (position, velocity) = step(position, velocity);
//!             }
//!             position.store(x);
//!         }
//!     }
//! }
//!
//! let start: Vec<f64> = (0..64).map(f64::from).collect();
//! let (mut wide, mut scalar) = (start.clone(), start);
//! Arch::new().dispatch(Swing(&mut wide)); // the widest registers of this machine
//! Arch::Scalar.dispatch(Swing(&mut scalar));
//! assert_eq!(wide, scalar);
//! ```

mod coefficients;
mod dispatch;
mod pair;
mod register;
mod scalar;

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

pub use dispatch::{Precision, Registers};
pub use pair::{Pair, PairMask};
pub use register::{F32Lanes, F32Mask, F64Lanes, F64Mask};

/// Largest number of lanes of a [`Real`] of this module: two AVX-512 registers of `f32`.
pub const MAX_LANES: usize = 32;

/// Real numbers in one or more lanes, all of one precision.
///
/// An operand of type `f64` is a constant with the same value in every lane; it is rounded to the
/// precision of the lanes first. Constructors take `self` because a lane knows its instruction set:
/// start from `F64Lanes::zero(simd)`, or from `0.0` for plain `f64`.
pub trait Real:
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
    /// One truth value per lane.
    type Mask: Mask;

    /// Number of lanes.
    const LANES: usize;
    /// A small positive number: the quotient of an ordinary number by it is large but finite, and its
    /// square is not subnormal.
    const TINY: f64;
    /// $\pi/2$ as a sum of three parts. Products of the first two with an integer are exact as long as
    /// the integer is small ($|k| < 2^{20}$ in `f64`).
    const HALF_PI: [f64; 3];
    /// Coefficients of $(\sin r - r) / r^3$ as a polynomial in $r^2$ on $[-\pi/4, \pi/4]$, ascending.
    const SIN: &'static [f64];
    /// Coefficients of $(\cos r - 1 + r^2/2) / r^4$ as a polynomial in $r^2$ on $[-\pi/4, \pi/4]$,
    /// ascending.
    const COS: &'static [f64];
    /// Adding this number and subtracting it again rounds to the nearest integer, ties to even.
    const ROUND: f64;

    /// Returns `value` in every lane.
    #[must_use]
    fn lit(self, value: f64) -> Self;

    /// Returns the first [`LANES`](Self::LANES) entries of `numbers`, entry `i` in lane `i`.
    ///
    /// # Panics
    /// When `numbers` has fewer entries.
    #[must_use]
    fn load(self, numbers: &[f64]) -> Self;

    /// Writes lane `i` to `out[i]`. `out` must have at least [`LANES`](Self::LANES) entries; those after the
    /// last lane stay as they are.
    fn store(self, out: &mut [f64]);

    /// Returns the absolute value.
    #[must_use]
    fn abs(self) -> Self;

    /// Returns the square root; NaN for negative numbers.
    #[must_use]
    fn sqrt(self) -> Self;

    /// Returns the smaller of two numbers. Where one of them is NaN, the result depends on the instruction
    /// set: on x86 it is `other` where `self` is NaN.
    #[must_use]
    fn min(self, other: Self) -> Self;

    /// Returns the larger of two numbers; NaN as for [`min`](Self::min).
    #[must_use]
    fn max(self, other: Self) -> Self;

    /// Returns whether `self < other`; false where one of them is NaN.
    fn lt(self, other: Self) -> Self::Mask;

    /// Returns whether `self <= other`; false where one of them is NaN.
    fn le(self, other: Self) -> Self::Mask;

    /// Returns whether `self == other`; false where one of them is NaN.
    fn eq(self, other: Self) -> Self::Mask;

    /// Returns `yes` where `mask` is true and `no` elsewhere.
    #[must_use]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// Returns the smallest and the largest lane. No lane may be NaN.
    fn range(self) -> (f64, f64);

    /// Returns `value(i)` in lane `i`.
    #[inline(always)]
    #[must_use]
    fn fill(self, value: impl Fn(usize) -> f64) -> Self {
        let mut lanes = [0.0; MAX_LANES];
        for (i, lane) in lanes[..Self::LANES].iter_mut().enumerate() {
            *lane = value(i);
        }
        self.load(&lanes)
    }

    /// Returns the nearest integer, ties to even; exact for absolute values below $2^{51}$ (`f64`) or
    /// $2^{22}$ (`f32`).
    #[inline(always)]
    #[must_use]
    fn round(self) -> Self {
        (self + Self::ROUND) - Self::ROUND
    }

    /// Returns the index of the cell of a table with unit spacing: `self` rounded down and limited to
    /// `first..=last`; `first` for NaN.
    #[inline(always)]
    #[must_use]
    fn cell(self, first: i32, last: i32) -> Self {
        let (first, last) = (self.lit(f64::from(first)), self.lit(f64::from(last)));
        let x = Self::select(first.lt(self), self, first);
        let x = Self::select(last.lt(x), last, x);
        let near = x.round();
        Self::select(x.lt(near), near - 1.0, near)
    }

    /// Applies `f` to one lane after the other. Slow; for rare cases.
    #[inline(always)]
    #[must_use]
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let mut lanes = [0.0; MAX_LANES];
        self.store(&mut lanes);
        self.fill(|i| f(lanes[i]))
    }
}

/// One truth value per lane, the result of a comparison.
pub trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// Returns whether at least one lane is true.
    fn any(self) -> bool;
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Simd, WithSimd};

    use super::*;

    /// Every operation on inputs that include infinities and NaN.
    #[inline(always)]
    fn everything<R: Real>(x: R, y: R) -> [R; 14] {
        let any = |mask: R::Mask| x.lit(f64::from(u8::from(mask.any())));
        let truth = |mask: R::Mask| R::select(mask, x.lit(1.0), x.lit(-1.0));
        let (small, large) = x.abs().range();
        [
            -x + y * 2.0,
            (x - 0.5) / (y + 3.0),
            x.abs().sqrt(),
            x.min(x.lit(0.5)).max(y.lit(-0.5)),
            truth(x.lt(y) & y.lt(x.lit(0.7))),
            truth(x.le(y) | x.eq(x.lit(0.25))),
            truth(!x.eq(y)),
            x.round(),
            (x * 4.0).cell(-1, 2),
            x.map(f64::cbrt),
            x.fill(|i| i as f64 * 0.1),
            any(x.lt(x.lit(-2.0))),
            x.lit(small),
            x.lit(large),
        ]
    }

    struct All(Precision, bool);

    impl WithSimd for All {
        type Output = Vec<Vec<f64>>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<Vec<f64>> {
            #[inline(always)]
            fn run<R: Real>(zero: R) -> Vec<Vec<f64>> {
                let x = zero.fill(|i| (i as f64 * 0.7 - 1.9).sin() * 1.5);
                let y = zero.fill(|i| (i as f64 * 1.3).cos());
                let mut out = [0.0; MAX_LANES];
                everything(x, y)
                    .map(|v| {
                        v.store(&mut out);
                        out[..R::LANES].to_vec()
                    })
                    .to_vec()
            }
            match (self.0, self.1) {
                (Precision::F64, false) => run(F64Lanes::zero(simd)),
                (Precision::F32, false) => run(F32Lanes::zero(simd)),
                (Precision::F64, true) => run(Pair::new(F64Lanes::zero(simd))),
                (Precision::F32, true) => run(Pair::new(F32Lanes::zero(simd))),
            }
        }
    }

    #[test]
    fn a_pair_is_two_registers_and_lanes_do_not_mix() {
        for precision in [Precision::F64, Precision::F32] {
            for arch in [Arch::Scalar, Arch::new()] {
                let pair = arch.dispatch(All(precision, true));
                let single = arch.dispatch(All(precision, false));
                for (i, (pair, single)) in pair.iter().zip(&single).enumerate().take(11) {
                    assert_eq!(pair.len(), 2 * single.len());
                    assert_eq!(&pair[..single.len()], single.as_slice(), "operation {i}");
                }
            }
        }
    }

    #[test]
    fn one_number_is_one_lane_of_double_precision() {
        let numbers = [0.0, -0.0, 0.25, -1.75, 0.5, 2.5, 1e300, f64::INFINITY, f64::NAN];
        for x in numbers {
            for y in [0.25, -0.75, 0.5] {
                let bits = |v: f64| if v.is_nan() { u64::MAX } else { v.to_bits() };
                let lane = |v: f64| F64Lanes::zero(pulp::Scalar).lit(v);
                let plain = everything(x, y).map(bits);
                let register = everything(lane(x), lane(y)).map(|v| {
                    let mut out = [0.0];
                    v.store(&mut out);
                    bits(out[0])
                });
                let nan = x.is_nan(); // the range of NaN is not defined
                assert_eq!(plain[..12], register[..12], "{x} {y}");
                assert!(nan || plain == register, "{x} {y}");
            }
        }
    }

    #[test]
    fn not_a_number_falls_in_the_first_cell() {
        assert!((f64::NAN.cell(-3, 5) + 3.0).abs() < f64::EPSILON);
        assert!((2.999_f64.cell(-3, 5) - 2.0).abs() < f64::EPSILON);
        assert!((9.0_f64.cell(-3, 5) - 5.0).abs() < f64::EPSILON);
    }
}
