//! What can go wrong while a batch is evaluated by something the estimators call.

/// Why a batch as a whole has no answer.
///
/// A single sample that cannot be evaluated is not an error: it comes back as NaN and is counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The samples have another number of coordinates than the function.
    #[error("samples have {actual} coordinates, the function takes {expected}")]
    Dimension {
        /// Coordinates the function takes.
        expected: usize,
        /// Coordinates the samples have.
        actual: usize,
    },
    /// The function failed for a reason of its own.
    #[error("evaluation failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl EvalError {
    /// Wraps a function's own error.
    pub fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(source.into())
    }

    /// Returns [`EvalError::Dimension`] unless `actual == expected`.
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when the two differ.
    pub fn check_dim(expected: usize, actual: usize) -> Result<(), Self> {
        if expected == actual { Ok(()) } else { Err(Self::Dimension { expected, actual }) }
    }
}
