//! What is kept of a training run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TrainSettings;

/// How a flow came to be; stored with its weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainingRecord {
    /// The settings.
    pub settings: TrainSettings,
    /// Rows at hand, held-out ones included.
    pub rows: usize,
    /// BLAKE3 hash of the rows as little-endian `f64`, row by row.
    pub data_hash: String,
    /// Mean negative log-likelihood of each epoch's batches, in training mode and standardised
    /// units.
    pub losses: Vec<f64>,
    /// Mean log-likelihood of the held-out rows after each epoch, in standardised units.
    pub held_out: Vec<f64>,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Whatever the caller wants to remember: command, commit, machine.
    pub provenance: BTreeMap<String, String>,
}
