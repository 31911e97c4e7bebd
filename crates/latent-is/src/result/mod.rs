//! What comes out: the estimate, its interval, its diagnostics and a verdict on it.

pub mod diagnostics;
pub(crate) mod draws;
pub mod ensemble;
pub mod estimate;
pub mod interval;
mod reason;
pub mod support;
pub(crate) mod text;
pub mod verdict;
