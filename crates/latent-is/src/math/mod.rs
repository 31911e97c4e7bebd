//! Special functions and random streams.

pub(crate) mod nonfinite;
pub mod rng;
pub mod special;
