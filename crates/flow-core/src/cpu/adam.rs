//! Constants of Adam (Kingma and Ba, ICLR 2015), those of the reference package.

/// Decay of the first and of the second moments.
pub(crate) const BETA: [f64; 2] = [0.9, 0.999];
/// Added to the root of the second moments.
pub(crate) const EPSILON: f64 = 1e-8;
