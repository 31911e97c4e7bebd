//! Why inputs are refused.

use std::error::Error;

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
    /// An input has no name.
    #[error("input {index} has an empty name")]
    EmptyName {
        /// Its place, counted from 0.
        index: usize,
    },
    /// A correlation names an input that is not there.
    #[error("a correlation names `{name}`, but the inputs are {}", names.join(", "))]
    UnknownName {
        /// The name.
        name: String,
        /// The inputs.
        names: Vec<String>,
    },
    /// Another distribution is given for an input that is not there.
    #[error("there is no input `{name}`; the inputs are {}", names.join(", "))]
    NotAnInput {
        /// The name.
        name: String,
        /// The inputs.
        names: Vec<String>,
    },
    /// Another distribution is given in another unit.
    #[error("`{name}` is in {unit}, not in {given}: give its numbers in {unit}")]
    OtherUnit {
        /// The input.
        name: String,
        /// Its unit.
        unit: String,
        /// The unit that was given.
        given: String,
    },
    /// Inputs that a map gives together have no distributions of their own that could be changed.
    #[error("a map gives all inputs together; the distribution of one cannot be changed")]
    GivenByMap,
    /// A correlation of an input with itself.
    #[error("`{0}` is correlated with itself: name two different inputs")]
    WithItself(String),
    /// A correlation of a constant.
    #[error("`{name}` is a constant and has no correlation: leave the pair out")]
    CorrelatedConstant {
        /// The constant.
        name: String,
    },
    /// A pair is given twice.
    #[error("the correlation of `{first}` and `{second}` is given twice: leave one out")]
    RepeatedPair {
        /// One input.
        first: String,
        /// The other.
        second: String,
    },
    /// A correlation is not between -1 and 1.
    #[error(
        "the correlation of `{first}` and `{second}` must lie between -1 and 1, without both, got {rho}"
    )]
    Correlation {
        /// One input.
        first: String,
        /// The other.
        second: String,
        /// The correlation.
        rho: f64,
    },
    /// A correlation that two distributions cannot have.
    #[error(
        "`{first}` and `{second}` cannot have the correlation {rho}: with a Gaussian copula their distributions allow {least:.4} to {greatest:.4}"
    )]
    Unreachable {
        /// One input.
        first: String,
        /// The other.
        second: String,
        /// The correlation.
        rho: f64,
        /// The least possible one.
        least: f64,
        /// The greatest possible one.
        greatest: f64,
    },
    /// A correlation of an input whose standard deviation is infinite.
    #[error(
        "`{name}` has no standard deviation, so no correlation: give the correlation of the normal scores"
    )]
    NoStandardDeviation {
        /// The input.
        name: String,
    },
    /// The correlations contradict each other.
    #[error(
        "the correlations of normal scores up to that of `{first}` and `{second}`, {rho}, contradict each other: the matrix is not positive definite. Pairs that are not given count as 0; bring the others closer to 0 or give more pairs"
    )]
    NotPositiveDefinite {
        /// One input.
        first: String,
        /// The other.
        second: String,
        /// The correlation of their normal scores; 0 where it is not given.
        rho: f64,
    },
    /// A map of inputs failed.
    #[error("the map of the inputs failed: {message}")]
    Map {
        /// Its message.
        message: String,
    },
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
    /// The error of a map.
    pub(crate) fn map(error: &(dyn Error + Send + Sync)) -> Self {
        Self::Map { message: error.to_string() }
    }

    /// Returns [`InputsError::Dimension`] unless `actual == expected`.
    pub(crate) fn check_dim(expected: usize, actual: usize) -> Result<(), Self> {
        if expected == actual { Ok(()) } else { Err(Self::Dimension { expected, actual }) }
    }
}
