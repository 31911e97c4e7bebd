//! Training with progress, and flow and reference of a system from scratch.

pub mod from_scratch;
pub mod progress;
