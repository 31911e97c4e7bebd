//! The entries of a criterion file.

use std::collections::BTreeMap;

use programs::ModelConfig;
use serde::Deserialize;
use toml::Spanned;

/// The regions of a whole file, or of a table that combines regions.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Group {
    /// Of a whole file only.
    pub(super) units: Option<Spanned<CriterionUnits>>,
    /// Of a `[[k_out_of_n]]` only.
    pub(super) k: Option<Spanned<i64>>,
    /// Of a whole file only, and alone in it.
    pub(super) program: Option<Spanned<ModelConfig>>,
    pub(super) half_space: Vec<HalfSpace>,
    #[serde(rename = "box")]
    pub(super) boxes: Vec<Bounds>,
    pub(super) ellipsoid: Vec<Points>,
    pub(super) expression: Vec<Comparison>,
    pub(super) intersection: Vec<Spanned<Group>>,
    pub(super) outside: Vec<Spanned<Group>>,
    pub(super) k_out_of_n: Vec<Spanned<Group>>,
}

/// The units of all numbers in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CriterionUnits {
    /// The units of the data.
    #[default]
    Physical,
    /// Standard deviations from the mean, with the moments of the flow.
    #[serde(alias = "standardized")]
    Standardised,
}

/// A `[[half_space]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HalfSpace {
    pub(super) features: Spanned<BTreeMap<String, Spanned<f64>>>,
    pub(super) at_least: Option<Spanned<f64>>,
    pub(super) at_most: Option<Spanned<f64>>,
}

/// A `[[box]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bounds {
    pub(super) features: Spanned<BTreeMap<String, Spanned<Vec<f64>>>>,
}

/// An `[[ellipsoid]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Points {
    pub(super) features: Spanned<Vec<String>>,
    pub(super) points: Spanned<Vec<Vec<f64>>>,
}

/// An `[[expression]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Comparison {
    pub(super) fails_if: Spanned<String>,
}
