//! One input.

use std::collections::BTreeSet;

use crate::{distribution::Distribution, error::InputsError};

/// One random input of a model: name, unit and distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) distribution: Option<Distribution>,
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

    /// The distribution; `None` where a [`Transform`](crate::Transform) gives all inputs together.
    pub fn distribution(&self) -> Option<&Distribution> {
        self.distribution.as_ref()
    }

    /// Whether it is a constant.
    pub(crate) fn is_constant(&self) -> bool {
        self.distribution.as_ref().is_some_and(Distribution::is_constant)
    }
}

/// Checks that names are there and differ.
pub(crate) fn check_names(inputs: &[Input]) -> Result<(), InputsError> {
    let mut seen = BTreeSet::new();
    for (index, input) in inputs.iter().enumerate() {
        if input.name.is_empty() {
            return Err(InputsError::EmptyName { index });
        }
        if !seen.insert(&input.name) {
            return Err(InputsError::RepeatedName(input.name.clone()));
        }
    }
    Ok(())
}
