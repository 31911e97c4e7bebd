#![doc = include_str!("../README.md")]

mod error;
mod exceedance;
mod fit;
#[cfg(test)]
mod golden;
mod maximum;
pub mod normal;
mod pareto;
mod profile;
mod upper_tail;

pub use error::TailError;
pub use exceedance::exceedance;
pub use fit::{ExcessFit, fit};
pub use pareto::GeneralisedPareto;
pub use upper_tail::{Exceedance, UpperTail};
