//! The units of the outcomes in a pass.

/// Units of the outcomes in a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Units {
    /// Those of the training data.
    Data,
    /// Standardised.
    Standardised,
}
