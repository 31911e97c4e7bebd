//! Settings that simulators share: precision and registers.

use pulp::Arch;
use serde::{Deserialize, Serialize};

/// The precision of the arithmetic of a simulator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single precision.
    F32,
    /// Double precision.
    #[default]
    F64,
}

/// The registers that carry the lanes. They change the speed of a simulator and no bit of its results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registers {
    /// The widest registers of this machine, found at run time.
    #[default]
    Widest,
    /// Scalar instructions.
    Scalar,
}

impl Registers {
    /// Returns the instruction set to dispatch to.
    pub fn arch(self) -> Arch {
        match self {
            Self::Widest => Arch::new(),
            Self::Scalar => Arch::Scalar,
        }
    }
}
