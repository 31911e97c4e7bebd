//! The inputs of a model.

use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::{builder::InputsBuilder, error::InputsError, input::Input, univariate::Univariate};

/// The random inputs of a model, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    pub(crate) inputs: Vec<Input>,
}

impl Inputs {
    /// Begins a set of inputs.
    pub fn builder() -> InputsBuilder {
        InputsBuilder::default()
    }

    /// Number of inputs `m`.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inputs.iter().map(|input| input.name.as_str())
    }

    /// The units, in order.
    pub fn units(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inputs.iter().map(|input| input.unit.as_str())
    }

    /// The inputs at standard normal `u`.
    ///
    /// # Shapes
    /// - `u`: `[latent_dim, n]`; returns `[m, n]`
    ///
    /// # Errors
    /// [`InputsError::Dimension`] when `u` has another number of rows.
    pub fn transform(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, InputsError> {
        InputsError::check_dim(self.latent_dim(), u.nrows())?;
        Ok(DMatrix::from_fn(self.len(), u.ncols(), |i, j| {
            self.inputs[i].distribution.at_normal(u[(i, j)])
        }))
    }

    /// Coordinates of `u`.
    pub fn latent_dim(&self) -> usize {
        self.len()
    }

    /// The means, `[m]`.
    pub fn mean(&self) -> DVector<f64> {
        DVector::from_iterator(self.len(), self.inputs.iter().map(|i| i.distribution.mean()))
    }
}
