//! The record of an estimate.

use std::collections::BTreeMap;

use latent_is::{Ensemble, Estimate, Interval, IntervalKind, Support, Verdict, scientific};
use serde::{Deserialize, Serialize};

use crate::estimation::{
    agreement::Agreement,
    method::{MethodKind, Space},
};

/// What the interval of the search does not include.
pub const CAVEAT: &str = "The interval of the search is for the probability under the flow. It does not include \
    the difference between the flow and its data; the intervals of the flow and of the outcomes do.";

/// Version of the format of the record. Files of version 1 lack the number.
pub const FORMAT_VERSION: u32 = 2;

/// An estimate with all its inputs: what `estimate --json` writes and `report` reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EstimateRecord {
    /// Version of this format.
    #[serde(default = "first_version")]
    pub format_version: u32,
    /// Version of this program.
    pub version: String,
    /// Origin of the flow.
    pub flow: String,
    /// How the flow was trained.
    pub provenance: BTreeMap<String, String>,
    /// The text of the criterion file.
    pub criterion: String,
    /// The estimator.
    pub method: MethodKind,
    /// The space in which it worked.
    pub space: Space,
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
    /// The verdict on the estimate.
    pub verdict: Verdict,
    /// The verdict as a sentence.
    pub sentence: String,
    /// Names of the features.
    pub features: Vec<String>,
    /// Means of the features in the training data.
    pub mean: Vec<f64>,
    /// Standard deviations of the features in the training data.
    pub sd: Vec<f64>,
    /// Some draws from the flow, in physical units.
    pub draws: Vec<Vec<f64>>,
    /// Some of the failures found, in physical units.
    pub failures: Vec<Vec<f64>>,
    /// Comparison of the flow with outcomes, if there were any.
    #[serde(default)]
    pub agreement: Option<Agreement>,
    /// What these outcomes say without the flow, with an interval of 99 %.
    #[serde(default)]
    pub support: Option<Support>,
    /// The estimates under the members of the flow's ensemble, if it has one.
    #[serde(default)]
    pub ensemble: Option<Ensemble>,
    /// The 95 % interval that the ensemble gives: the error of the flow.
    #[serde(default)]
    pub interval_of_flow: Option<Interval>,
    /// The 95 % interval of the outcomes without the flow: what so many outcomes can say at all.
    #[serde(default)]
    pub interval_of_outcomes: Option<Interval>,
    /// The hull of the intervals of search, flow and outcomes, if there is more than the first.
    #[serde(default, alias = "interval_with_outcomes")]
    pub interval_of_all: Option<Interval>,
    /// The estimate with its diagnostics; its points are in the space of the estimator.
    pub estimate: Estimate,
}

/// The ends of an interval as text, with `digits` digits after the point.
pub fn between(interval: &Interval, digits: usize) -> String {
    // From 0 to 1: nothing is known.
    if interval.ln_lower == f64::NEG_INFINITY && interval.ln_upper >= 0.0 {
        return "unknown".to_owned();
    }
    format!(
        "{} to {}",
        scientific(interval.ln_lower, digits),
        scientific(interval.ln_upper, digits)
    )
}

impl EstimateRecord {
    /// The 95 % intervals with their names: of the search, of the flow, of the outcomes, and all together.
    pub fn intervals(&self) -> Vec<(&'static str, String)> {
        let mut intervals = vec![("95 % interval of the search", between(&self.interval, 4))];
        for (name, interval) in [
            ("95 % interval of the flow", &self.interval_of_flow),
            ("95 % interval of the outcomes", &self.interval_of_outcomes),
            ("95 % interval, all together", &self.interval_of_all),
        ] {
            intervals.extend(interval.iter().map(|interval| (name, between(interval, 2))));
        }
        intervals
    }
}

/// What outcomes say about the event without the flow, in one sentence.
pub fn support_sentence(support: &Support) -> String {
    let Support { outcomes, failures, ln_pf, interval } = support;
    let (p, interval) = (scientific(*ln_pf, 2), between(interval, 2));
    if support.is_supported() {
        return format!(
            "Without the flow: {failures} of {outcomes} outcomes fail, {p} (99 % interval {interval})."
        );
    }
    let what = if support.interval.kind == IntervalKind::Tail {
        "The tail of the criterion over the outcomes, continued, gives"
    } else {
        "No tail can be fitted to so few or so equal values; the count alone gives"
    };
    format!(
        "Without the flow: {failures} of {outcomes} outcomes fail, which is fewer than ten. {what} {p} (99 % \
         interval {interval})."
    )
}

fn first_version() -> u32 {
    1
}
