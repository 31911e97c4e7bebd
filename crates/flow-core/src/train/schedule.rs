//! The schedule of the learning rate.

use serde::{Deserialize, Serialize};

/// How the learning rate changes during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Schedule {
    /// The same rate throughout.
    Constant,
    /// Half a cosine from the full rate down to zero (Loshchilov and Hutter, *SGDR*, ICLR 2017).
    Cosine,
}

impl Schedule {
    /// Factor of the learning rate at `progress` in `[0, 1)`.
    pub(crate) fn factor(self, progress: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        }
    }
}
