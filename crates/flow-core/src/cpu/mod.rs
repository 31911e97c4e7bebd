//! Inference and training on the CPU in single precision, without burn.
//!
//! A pass through a flow is a sequence of small matrix products with cheap elementwise steps between
//! them. A tensor library allocates and copies memory for each of them; the loops of this module keep a
//! group of samples in cache. Tests compare every result and every gradient with the burn modules.
//!
//! The instruction set is chosen at run time (AVX-512, AVX2 with FMA, or portable). Results depend on
//! it, but not on the number of threads.

#![expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]

pub(crate) mod adam;
pub(crate) mod inference;
mod kernel;
mod math;
pub(crate) mod training;
