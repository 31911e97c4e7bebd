//! The commands of the program, one module per command: its arguments and what it does.

pub mod check;
mod criterion_options;
pub mod estimate;
mod features;
pub mod inspect;
mod marginals;
pub mod metrics;
pub mod replay;
pub mod report;
pub mod reproduce;
pub mod simulate;
mod simulate_model;
pub mod store;
mod store_options;
pub mod study;
mod study_terminal;
pub mod train;
mod with_simulator;
