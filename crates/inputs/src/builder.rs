//! Inputs made in code.

use crate::{distribution::Distribution, error::InputsError, input::Input, set::Inputs};

/// Collects inputs; every check is in [`build`](Self::build).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct InputsBuilder {
    inputs: Vec<Input>,
}

impl InputsBuilder {
    /// Adds an input after those before it.
    pub fn input(
        mut self,
        name: impl Into<String>,
        unit: impl Into<String>,
        distribution: impl Into<Distribution>,
    ) -> Self {
        let (name, unit, distribution) = (name.into(), unit.into(), distribution.into());
        self.inputs.push(Input { name, unit, distribution });
        self
    }

    /// The inputs.
    ///
    /// # Errors
    /// [`InputsError`] when two inputs have one name.
    pub fn build(self) -> Result<Inputs, InputsError> {
        for (i, input) in self.inputs.iter().enumerate() {
            if self.inputs[..i].iter().any(|other| other.name == input.name) {
                return Err(InputsError::RepeatedName(input.name.clone()));
            }
        }
        Ok(Inputs { inputs: self.inputs })
    }
}
