//! Inputs and statuses in words.

use inputs::{Distribution, Input, Univariate};
use serde_json::Value;
use sim_core::{FailureKind, Status};

/// Most values of a list in words.
const LISTED: usize = 6;

/// The distribution of an input: its name and its parameters.
pub fn distribution(input: &Input) -> String {
    let Some(distribution) = input.distribution() else { return "by a map".to_owned() };
    let value = serde_json::to_value(distribution).unwrap_or_default();
    match value.as_object().and_then(|map| map.iter().next()) {
        Some((kind, parameters)) => format!("{} {}", kind.replace('_', " "), listed(parameters)),
        None => format!("{distribution:?}"),
    }
}

fn listed(parameters: &Value) -> String {
    match parameters {
        Value::Object(map) => {
            let parts = map.iter().filter(|(_, value)| !value.is_null());
            let parts = parts.map(|(name, value)| format!("{name} {}", listed(value)));
            parts.collect::<Vec<_>>().join(", ")
        }
        Value::Array(values) if values.len() > LISTED => format!("of {} numbers", values.len()),
        Value::Array(values) => values.iter().map(listed).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// A middle value of an input that the input can have: the mean, or the median where there is no mean or
/// the input jumps.
pub fn middle(input: &Input, median: f64) -> f64 {
    match input.distribution() {
        Some(Distribution::Discrete(_) | Distribution::Table(_)) | None => median,
        Some(distribution) => Some(distribution.mean()).filter(|m| m.is_finite()).unwrap_or(median),
    }
}

/// A kind of failure.
pub fn kind(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Reported => "said by the model",
        FailureKind::NotFinite => "not finite",
        FailureKind::Crashed => "crashed",
        FailureKind::TimedOut => "timed out",
        FailureKind::BadAnswer => "answered badly",
        _ => "failed",
    }
}

/// A status in one line.
pub fn status(status: &Status) -> String {
    match status {
        Status::Done => "done".to_owned(),
        Status::Failed { kind: of, message } => format!("{}: {message}", kind(*of)),
        other => format!("{other:?}"),
    }
}
