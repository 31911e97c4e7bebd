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
    /// A value in a list of a distribution is out of its range.
    #[error(
        "the {distribution} distribution needs `{name}[{index}]` to be {condition}, got {value}"
    )]
    Entry {
        /// The distribution.
        distribution: &'static str,
        /// The list.
        name: &'static str,
        /// The place in it, counted from 0.
        index: usize,
        /// Its range.
        condition: &'static str,
        /// Its value.
        value: f64,
    },
    /// Two lists of a distribution have different lengths, or none.
    #[error(
        "the {distribution} distribution needs one probability per value, got {values} values and {probabilities} probabilities"
    )]
    Lengths {
        /// The distribution.
        distribution: &'static str,
        /// Values.
        values: usize,
        /// Probabilities.
        probabilities: usize,
    },
    /// A table without two different values.
    #[error(
        "the table distribution needs at least two different values, got {values} equal ones: use a constant"
    )]
    SameValues {
        /// Values of the table.
        values: usize,
    },
    /// A distribution is given by none of its sets of parameters, or by a mixture of two.
    #[error("the {distribution} distribution is given by {first}, or by {second}")]
    Choice {
        /// The distribution.
        distribution: &'static str,
        /// A set of parameters.
        first: &'static str,
        /// Another.
        second: &'static str,
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
