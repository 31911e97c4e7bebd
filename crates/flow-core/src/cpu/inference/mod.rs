//! Encoding and decoding on the CPU.
//!
//! The weights are packed once: batch normalisation becomes scales and shifts of the layers around it,
//! permutations and LU factors become one small matrix per direction, and the matrices of the
//! conditioners are stored in the order in which the innermost loop reads them. A tile of 192 samples
//! then passes through the whole flow while it is in cache, in panels of sixteen samples, and tiles run
//! in parallel. Input and output are in double precision, the computation in single precision.
//!
//! The result of a sample does not depend on the samples beside it.

pub(crate) mod direction;
pub(crate) mod flow;
mod layer;
mod linear;
mod matrix;
mod net;
mod spline;
#[cfg(test)]
mod tests;
mod tile;
mod weights;
