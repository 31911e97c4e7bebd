//! Invertible layers, one per file.

pub(crate) mod autoregressive;
pub(crate) mod chain;
pub(crate) mod coupling;
pub(crate) mod lu_linear;
pub(crate) mod map;
pub(crate) mod permutation;
pub(crate) mod rq_spline;
pub(crate) mod standardise;

pub use autoregressive::RqAutoregressive;
pub use chain::Chain;
pub use coupling::RqCoupling;
pub use lu_linear::LuLinear;
pub use map::Bijection;
pub use permutation::Permutation;
pub use rq_spline::{RawKnots, RqSpline};
pub use standardise::Standardise;
