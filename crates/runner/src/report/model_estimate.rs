//! The record of an estimate of a model.

use latent_is::{Estimate, Interval, Verdict, model_limit_state::Failures};
use programs::OnFailure;
use serde::{Deserialize, Serialize};
use sim_core::FailureKind;

use crate::estimation::model_method::MethodChoice;

/// Value of the entry `format`.
pub const FORMAT: &str = "latent-is estimate of a model, version 2";

/// What the estimate is, and is not.
pub const CAVEAT: &str = "The probability is that of the simulator itself, with the inputs as the model file gives them: no flow \
    stands in between. The verdict is about the search: a way to fail that no run came near does not show in it. A \
    run with another --seed or --method may find one.";

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
    /// Names of the inputs, `[m]`.
    pub inputs: Vec<String>,
    /// Names of the outputs, `[d]`.
    pub outputs: Vec<String>,
    /// Draws of the inputs, at most 1,000, each `[m]`.
    pub draws: Vec<Vec<f64>>,
    /// The most likely failures that were drawn, at most 1,000, most likely first.
    pub failures: Vec<RecordedFailure>,
    /// Samples without an outcome, by kind.
    pub without_an_outcome: Vec<Uncounted>,
    /// The same with samples without an outcome as failures, where they are many; the interval reaches up to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_as_failures: Option<MissingAsFailures>,
    /// What samples without an outcome count as.
    pub counted_as: OnFailure,
    /// The estimate; its points are in standard normal space.
    pub estimate: Estimate,
}

/// A failure that was drawn, with all that is needed to run it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedFailure {
    /// Its distance from the origin of standard normal space.
    pub distance: f64,
    /// Its weight.
    pub weight: f64,
    /// The inputs, `[m]`.
    pub inputs: Vec<f64>,
    /// The seed.
    pub seed: u64,
    /// The outcome, `[d]`; nothing where there is none.
    pub outputs: Vec<Option<f64>>,
}

/// The probability that a sample fails or has no outcome, by a search of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MissingAsFailures {
    /// The probability.
    pub probability: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// Evaluations of the search, those that were looked up included.
    pub evaluations: u64,
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
