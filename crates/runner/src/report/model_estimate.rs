//! The record of an estimate of a model.

use latent_is::{Estimate, Interval, Verdict, model_limit_state::Failures};
use programs::OnFailure;
use serde::{Deserialize, Serialize};
use sim_core::FailureKind;

use crate::estimation::model_method::MethodChoice;

/// Value of the entry `format`.
pub const FORMAT: &str = "latent-is estimate of a model, version 1";

/// An estimate of a model with all its inputs: what `estimate --model --json` writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelEstimateRecord {
    /// What this file is.
    pub format: String,
    /// Version of this program.
    pub version: String,
    /// Name of the model.
    pub name: String,
    /// The text of the model file.
    pub model: String,
    /// The text of the criterion file.
    pub criterion: String,
    /// The estimator.
    pub method: MethodChoice,
    /// The seed.
    pub seed: u64,
    /// Target of the coefficient of variation.
    pub target_cov: f64,
    /// Largest number of evaluations.
    pub budget: u64,
    /// The estimated failure probability.
    pub probability: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// The verdict on the search.
    pub verdict: Verdict,
    /// The verdict as a sentence.
    pub sentence: String,
    /// Evaluations that were looked up in the store.
    pub looked_up: u64,
    /// Samples without an outcome, by kind.
    pub without_an_outcome: Vec<Uncounted>,
    /// What samples without an outcome count as.
    pub counted_as: OnFailure,
    /// The estimate; its points are in standard normal space.
    pub estimate: Estimate,
}

/// Samples without an outcome, of one kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Uncounted {
    /// The kind.
    pub kind: FailureKind,
    /// Their number.
    pub count: u64,
    /// What the first of them said.
    pub message: String,
}

impl From<&Failures> for Uncounted {
    fn from(failures: &Failures) -> Self {
        let Failures { kind, count, message, .. } = failures;
        Self { kind: *kind, count: *count, message: message.clone() }
    }
}
