//! Special functions and random streams.

pub(crate) mod nonfinite;
pub mod special;

pub use sim_core::rng;
