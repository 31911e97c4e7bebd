//! Limits.

use sim_core::lanes::Real;

/// Limits `x` to `low..=high`. Where `x` is NaN, the result depends on the instruction set (on x86 it is
/// `low`).
#[inline(always)]
pub(super) fn clip<R: Real>(x: R, low: f64, high: f64) -> R {
    x.max(x.lit(low)).min(x.lit(high))
}
