//! The bodies of requests and replies.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the protocol.
pub(crate) const VERSION: f64 = 1.0;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Info {
    #[serde(rename = "protocolVersion")]
    pub(crate) version: f64,
    pub(crate) models: Vec<String>,
}

/// To `/InputSizes`, `/OutputSizes`, `/ModelInfo` (without `input`) and `/Evaluate`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    pub(crate) config: Map<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InputSizes {
    #[serde(rename = "inputSizes")]
    pub(crate) sizes: Vec<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OutputSizes {
    #[serde(rename = "outputSizes")]
    pub(crate) sizes: Vec<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ModelInfo {
    pub(crate) support: Support,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the form of the protocol")]
pub(crate) struct Support {
    pub(crate) evaluate: bool,
    pub(crate) gradient: bool,
    pub(crate) apply_jacobian: bool,
    pub(crate) apply_hessian: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Output {
    /// A number that is not finite comes as `null`.
    pub(crate) output: Vec<Vec<Option<f64>>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) error: Reason,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reason {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) message: String,
}
