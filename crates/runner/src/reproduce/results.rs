//! The results of an evaluation, as in `results.json`.

use flow_core::TrainingRecord;
use serde::{Deserialize, Serialize};

use crate::{
    reproduce::{quality::FlowQuality, row::Row, trial_log::TrialRecord},
    systems::{experiment::Experiment, probability::CountedProbability},
};

/// Version of the format of the results. Files of version 1 lack the number.
pub const FORMAT_VERSION: u32 = 2;

/// The results of an evaluation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// Version of this format.
    #[serde(default = "first_version")]
    pub format_version: u32,
    /// Name of the system.
    pub system: String,
    /// Version of this program.
    pub version: String,
    /// The experiment with the options applied.
    pub experiment: Experiment,
    /// Failure probability by simulation; outcomes are standardised with the moments of the flow.
    pub reference: CountedProbability,
    /// Failure probability under the flow.
    pub flow: CountedProbability,
    /// Probability of the latent surrogate ellipsoids under the standard normal.
    pub surrogate: CountedProbability,
    /// Origin of the flow.
    pub flow_origin: String,
    /// The flow compared with the simulator.
    pub flow_quality: FlowQuality,
    /// How the flow was trained.
    pub flow_training: TrainingRecord,
    /// The rows of the table.
    pub rows: Vec<Row>,
    /// All trials of these rows.
    pub trials: Vec<TrialRecord>,
}

fn first_version() -> u32 {
    1
}
