//! Experiments, tables and the `latent-is` program.
//!
//! This crate alone joins simulators, flows, ellipsoids and estimators, reads and writes files and
//! talks to people.

pub mod agreement;
pub mod commands;
pub mod criterion;
pub mod experiment;
pub mod figures;
pub mod files;
pub mod outcomes;
pub mod progress;
pub mod reading;
pub mod reference;
pub mod report;
pub mod reproduce;
pub mod resume;
pub mod simulators;
pub mod system;
pub mod training;
