//! Experiments, tables and the `latent-is` program.
//!
//! This crate joins simulators, flows, ellipsoids and estimators, reads and writes files and prints
//! to the terminal. No other crate does. The rooms, from the ground up:
//!
//! | module | contents |
//! | --- | --- |
//! | [`output`] | files that are replaced as a whole, progress of long work |
//! | [`outcomes`] | tables of outcomes in CSV, Parquet, Arrow and NumPy files |
//! | [`criterion`] | failure criteria in TOML files |
//! | [`systems`] | the systems of the paper with their experiments and references |
//! | [`models`] | simulators of the user: model files, their evaluation with a store, tables of samples |
//! | [`simulation`] | simulations that resume after an interruption |
//! | [`training`] | training with progress; flow and reference from scratch |
//! | [`estimation`] | choice of the estimator and of the space, comparison of flow and data |
//! | [`reproduce`] | the evaluation of the paper |
//! | [`figures`] | figures as SVG and PNG |
//! | [`report`] | tables, records in JSON and pages in HTML |
//! | `study` | certified estimates with their rows, and flows that know the tail |
//! | [`commands`] | one module per command of the program |

pub mod commands;
pub mod criterion;
pub mod estimation;
pub mod figures;
pub mod models;
pub mod outcomes;
pub mod output;
pub mod report;
pub mod reproduce;
pub mod simulation;
mod study;
pub mod systems;
pub mod training;
