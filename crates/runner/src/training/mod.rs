//! Training with progress, and flow and reference of a system from scratch.

pub(crate) mod checks;
pub(crate) mod ensemble;
pub(crate) mod finished;
pub mod from_scratch;
pub mod progress;
