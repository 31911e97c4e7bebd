//! How two inputs depend on each other.

/// The correlation of two inputs in the Gaussian copula.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Correlation {
    /// Pearson's correlation of the inputs themselves. That of their normal scores is computed from it.
    OfInputs(f64),
    /// Pearson's correlation of the normal scores $z_i = \Phi^{-1}(F_i(w_i))$.
    OfScores(f64),
}

impl Correlation {
    /// The number.
    pub fn value(self) -> f64 {
        match self {
            Self::OfInputs(value) | Self::OfScores(value) => value,
        }
    }
}

/// A correlation of two inputs by their places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) correlation: Correlation,
}
