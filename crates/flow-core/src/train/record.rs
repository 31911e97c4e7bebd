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
    /// units; NaN for an epoch in which no step could be taken.
    #[serde(with = "nan_as_null")]
    pub losses: Vec<f64>,
    /// Mean log-likelihood of the held-out rows after each epoch, in standardised units.
    #[serde(with = "nan_as_null")]
    pub held_out: Vec<f64>,
    /// Epoch whose weights the flow has, counted from 1.
    pub epoch: usize,
    /// Steps left out because their loss or gradient was not finite.
    pub skipped: usize,
    /// Times the weights went back to those of the last epoch after several such steps.
    pub rollbacks: usize,
    /// Wall-clock seconds, all sittings together.
    pub seconds: f64,
    /// Whatever the caller wants to remember: command, commit, machine.
    pub provenance: BTreeMap<String, String>,
}

/// JSON knows no NaN; an epoch without a finite figure must still be readable.
mod nan_as_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
        let values: Vec<_> = values.iter().map(|v| v.is_finite().then_some(*v)).collect();
        values.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        let values = Vec::<Option<f64>>::deserialize(from)?;
        Ok(values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
    }
}
