#![doc = include_str!("../README.md")]

mod builder;
mod distribution;
mod error;
mod input;
mod set;
mod univariate;

pub use builder::InputsBuilder;
pub use distribution::Distribution;
pub use error::InputsError;
pub use input::Input;
pub use set::Inputs;
pub use univariate::normal::Normal;
