//! The entries of a criterion file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CriterionFile {
    #[serde(default)]
    pub(super) units: CriterionUnits,
    #[serde(default)]
    pub(super) half_space: Vec<HalfSpace>,
    #[serde(default, rename = "box")]
    pub(super) boxes: Vec<Bounds>,
    #[serde(default)]
    pub(super) ellipsoid: Vec<Points>,
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
