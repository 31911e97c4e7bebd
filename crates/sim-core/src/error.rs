//! Why inputs cannot be evaluated.

use std::error::Error;

use inputs::InputsError;

/// Why a batch of inputs as a whole cannot be evaluated.
///
/// A single sample that has no outcome is not an error: its outcome is NaN in all coordinates.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The matrix has another number of rows than the simulator has inputs.
    #[error("the simulator takes {expected} inputs per sample, got {actual}")]
    Dimension {
        /// Inputs that the simulator takes.
        expected: usize,
        /// Rows of the matrix.
        actual: usize,
    },
    /// The number of seeds is not the number of samples.
    #[error("{samples} samples need as many seeds, got {seeds}")]
    Seeds {
        /// Columns of the matrix.
        samples: usize,
        /// Seeds.
        seeds: usize,
    },
    /// The distribution of the inputs cannot be used.
    #[error(transparent)]
    Inputs(#[from] InputsError),
}

impl InputError {
    /// Returns [`InputError::Dimension`] unless `actual == expected`.
    ///
    /// # Errors
    /// [`InputError::Dimension`] when the two differ.
    pub fn check_dim(expected: usize, actual: usize) -> Result<(), Self> {
        if expected == actual { Ok(()) } else { Err(Self::Dimension { expected, actual }) }
    }
}

/// Why a [`Model`](crate::Model) has no answer for a batch as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The batch does not fit the model.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The model cannot be run, or its policy is to stop.
    #[error("{message}")]
    Failed {
        /// What happened and how to mend it.
        message: String,
        /// The error below it, if there is one.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl ModelError {
    /// A failure with a message and no error below it.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), source: None }
    }
}
