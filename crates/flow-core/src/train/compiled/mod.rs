//! Training on the CPU without burn: the forward pass, the way back and Adam as plain loops.
//!
//! A training step of a flow is a few hundred products of small matrices with cheap passes between
//! them; a tensor library pays for memory, copies and passes of its own at each. Here a batch lies so
//! that products read it as it is, the spline has its derivatives by hand, and the memory of a step
//! serves the next. The meaning is that of the burn modules, to which the tests hold every gradient.
//!
//! Results do not depend on the number of threads.

#![expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]

use pulp::{Arch, Simd, WithSimd};

mod batch;
mod factor;
mod flow;
mod linear;
mod net;
mod norm;
mod product;
mod spline;
mod tensors;

pub(super) use flow::Compiled;

/// Does `work` compiled for the instruction set at hand; a closure must say `#[inline(always)]` to be.
fn vectorised<T>(work: impl FnMut() -> T) -> T {
    struct Work<F>(F);
    impl<T, F: FnMut() -> T> WithSimd for Work<F> {
        type Output = T;

        // As `FnOnce`, which is what pulp asks of a closure, one that only borrows is called through
        // a function that is not compiled for the instruction set.
        #[inline(always)]
        fn with_simd<S: Simd>(mut self, _: S) -> T {
            (self.0)()
        }
    }
    Arch::new().dispatch(Work(work))
}

#[cfg(test)]
mod tests;
