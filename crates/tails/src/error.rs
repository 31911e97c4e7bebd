//! Why a tail cannot be fitted.

/// Why a tail cannot be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TailError {
    /// A parameter of the distribution is out of its range.
    #[error("{name} must be {condition}, got {value}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// Its range.
        condition: &'static str,
        /// Its value.
        value: f64,
    },
    /// Too few different values lie beyond the threshold.
    #[error(
        "{found} values lie beyond the threshold; at least {needed} are needed: give more values or a lower threshold"
    )]
    TooFew {
        /// Values beyond the threshold.
        found: usize,
        /// Values that are needed.
        needed: usize,
    },
    /// A value is NaN or infinite.
    #[error("value {index} is {value}; remove NaN and infinity first")]
    NotFinite {
        /// Its place, counted from 0.
        index: usize,
        /// The value.
        value: f64,
    },
}
