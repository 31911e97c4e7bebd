//! Why inputs cannot be evaluated.

/// Why a batch of inputs as a whole cannot be evaluated.
///
/// A single sample that has no outcome is not an error: its outcome is NaN in all coordinates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
