//! The direction of a pass.

/// The direction of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From outcomes to latent.
    Encode,
    /// From latent to outcomes.
    Decode,
}
