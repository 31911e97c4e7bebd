//! A model with other distributions of its inputs.

use inputs::{Inputs, InputsError};
use nalgebra::DMatrixView;
use sim_core::{Evaluations, Feature, Model, ModelError, Trajectory};

/// A model with other distributions for some of its inputs.
pub(super) struct OtherInputs {
    model: Box<dyn Model>,
    inputs: Inputs,
}

impl OtherInputs {
    /// `model` with the distributions of `changes`.
    ///
    /// # Errors
    /// As [`Inputs::changed_by`].
    pub(super) fn new(model: Box<dyn Model>, changes: &Inputs) -> Result<Self, InputsError> {
        let inputs = model.inputs().changed_by(changes)?;
        Ok(Self { model, inputs })
    }
}

impl Model for OtherInputs {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    fn outputs(&self) -> &[Feature] {
        self.model.outputs()
    }

    fn trajectory(&self, w: &[f64], seed: u64) -> Result<Option<Trajectory>, ModelError> {
        self.model.trajectory(w, seed)
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        self.model.evaluate(w, seeds)
    }
}
