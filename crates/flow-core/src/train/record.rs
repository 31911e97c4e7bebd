//! The record of a training run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{flow::Flow, train::settings::TrainSettings};

/// A trained flow and the record of its training.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The flow.
    pub flow: Flow,
    /// The record.
    pub record: TrainingRecord,
}

/// How a flow was trained; stored with its weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainingRecord {
    /// The settings.
    pub settings: TrainSettings,
    /// Number of rows, with the held-out rows.
    pub rows: usize,
    /// BLAKE3 hash of the rows as little-endian `f64`, row-major, in hexadecimal digits; with weights, that of
    /// [`weighted_data_hash`](crate::train::weighted_data_hash).
    pub data_hash: String,
    /// Effective number of rows $(\sum_i w_i)^2 / \sum_i w_i^2$, if they have weights.
    // Absent without weights, as in files of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_rows: Option<f64>,
    /// Mean negative log-likelihood of the batches of each epoch, in training mode and standardised
    /// units; NaN for an epoch whose steps were all skipped.
    #[serde(with = "nan_as_null")]
    pub losses: Vec<f64>,
    /// Mean log-likelihood of the held-out rows after each epoch, in standardised units; weighted if the rows have weights.
    #[serde(with = "nan_as_null")]
    pub held_out: Vec<f64>,
    /// Epoch of the weights of the flow, counted from 1.
    pub epoch: usize,
    /// Steps skipped because their loss or gradient was not finite.
    pub skipped: usize,
    /// How often the weights were reset to those of the last epoch, after several consecutive skipped steps.
    pub rollbacks: usize,
    /// Wall-clock seconds, summed over resumed runs.
    pub seconds: f64,
    /// Facts that the caller adds: command, commit, machine.
    pub provenance: BTreeMap<String, String>,
}

/// Writes NaN as null, because JSON has no NaN.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_rows_without_weights_are_as_in_earlier_versions() {
        let record = TrainingRecord { rows: 100, ..TrainingRecord::default() };
        let text = serde_json::to_string(&record).unwrap();
        assert!(!text.contains("effective_rows"), "{text}");
        assert_eq!(serde_json::from_str::<TrainingRecord>(&text).unwrap(), record);
        let weighted = TrainingRecord { effective_rows: Some(61.7), ..record };
        let text = serde_json::to_string(&weighted).unwrap();
        assert_eq!(serde_json::from_str::<TrainingRecord>(&text).unwrap(), weighted);
    }
}
