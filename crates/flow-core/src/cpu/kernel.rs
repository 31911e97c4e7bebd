//! What inference and training share: the width of a panel, the innermost step of matrix products, and
//! loops that are compiled for each instruction set.

use pulp::{Arch, Simd, WithSimd};

/// Numbers side by side in a panel: one register of sixteen lanes, or two of eight.
pub(super) const WIDTH: usize = 16;

/// Adds the products of `weights` and the registers `x` to the sums.
#[inline(always)]
pub(super) fn multiply_add<S: Simd, const H: usize, const R: usize>(
    simd: S,
    sums: &mut [[S::f32s; R]; H],
    weights: [f32; H],
    x: [S::f32s; R],
) {
    for (sums, weight) in sums.iter_mut().zip(weights) {
        let weight = simd.splat_f32s(weight);
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = simd.mul_add_e_f32s(weight, x, *sum);
        }
    }
}

/// Runs `work` compiled for the instruction set of this machine. A closure must be
/// `#[inline(always)]` for this.
pub(super) fn vectorised<T>(work: impl FnMut() -> T) -> T {
    struct Work<F>(F);
    impl<T, F: FnMut() -> T> WithSimd for Work<F> {
        type Output = T;

        // pulp takes an `FnOnce`. One that only borrows would be called through a function that is not
        // compiled for the instruction set.
        #[inline(always)]
        fn with_simd<S: Simd>(mut self, _: S) -> T {
            (self.0)()
        }
    }
    Arch::new().dispatch(Work(work))
}
