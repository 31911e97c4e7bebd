//! The table `[outputs]`.

use serde::{Deserialize, Serialize};
use sim_core::Feature;

use crate::error::ProgramError;

/// The table `[outputs]`: names and units of the outputs, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct OutputsConfig(Vec<Feature>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    names: Vec<String>,
    units: Option<Vec<String>>,
}

impl OutputsConfig {
    /// Outputs with these names and units.
    ///
    /// # Errors
    /// [`ProgramError::Config`] when there is none, or two have the same name.
    pub fn new(outputs: Vec<Feature>) -> Result<Self, ProgramError> {
        let bad = |reason: String| Err(ProgramError::Config { key: "outputs.names", reason });
        if outputs.is_empty() {
            return bad("name at least one output".to_owned());
        }
        for (i, output) in outputs.iter().enumerate() {
            if output.name().is_empty() {
                return bad(format!("output {i} has no name"));
            }
            if outputs[..i].iter().any(|other| other.name() == output.name()) {
                return bad(format!("two outputs are called `{}`", output.name()));
            }
        }
        Ok(Self(outputs))
    }

    /// The outputs, in order.
    pub fn features(&self) -> &[Feature] {
        &self.0
    }
}

impl TryFrom<Table> for OutputsConfig {
    type Error = ProgramError;

    fn try_from(table: Table) -> Result<Self, ProgramError> {
        let n = table.names.len();
        let units = table.units.unwrap_or_else(|| vec!["1".to_owned(); n]);
        if units.len() != n {
            let reason = format!("{n} names need as many units, got {}", units.len());
            return Err(ProgramError::Config { key: "outputs.units", reason });
        }
        Self::new(table.names.into_iter().zip(units).map(|(n, u)| Feature::owned(n, u)).collect())
    }
}

impl From<OutputsConfig> for Table {
    fn from(outputs: OutputsConfig) -> Self {
        let texts =
            |text: fn(&Feature) -> &str| outputs.0.iter().map(|f| text(f).to_owned()).collect();
        Self { names: texts(Feature::name), units: Some(texts(Feature::unit)) }
    }
}
