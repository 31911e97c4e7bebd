//! Why inputs are refused.

/// Why a distribution or a set of inputs is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InputsError {
    /// A parameter of a distribution is out of its range.
    #[error("the {distribution} distribution needs `{name}` to be {condition}, got {value}")]
    Parameter {
        /// The distribution.
        distribution: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its range.
        condition: &'static str,
        /// Its value.
        value: f64,
    },
    /// Two inputs have the same name.
    #[error("two inputs have the name `{0}`: rename one of them")]
    RepeatedName(String),
    /// A batch has another number of rows.
    #[error("the batch has {actual} rows, {expected} are needed")]
    Dimension {
        /// Rows that are needed.
        expected: usize,
        /// Rows of the batch.
        actual: usize,
    },
}

impl InputsError {
    /// Returns [`InputsError::Dimension`] unless `actual == expected`.
    pub(crate) fn check_dim(expected: usize, actual: usize) -> Result<(), Self> {
        if expected == actual { Ok(()) } else { Err(Self::Dimension { expected, actual }) }
    }
}
