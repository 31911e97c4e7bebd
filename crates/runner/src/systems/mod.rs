//! The systems of the paper: simulators, failure regions, experiments and references.

pub mod experiment;
pub mod probability;
pub mod reference;
pub mod system;
