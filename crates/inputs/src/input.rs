//! One input.

use crate::distribution::Distribution;

/// One random input of a model: name, unit and distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) distribution: Distribution,
}

impl Input {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The unit; `1` for pure numbers.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// The distribution.
    pub fn distribution(&self) -> &Distribution {
        &self.distribution
    }
}
