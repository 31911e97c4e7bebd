#![doc = include_str!("../README.md")]

mod child;
mod config;
mod error;
mod file;
mod json;
mod pool;
mod program;
mod stream;
mod text;
mod um_bridge;
mod work;

pub use child::abandon;
pub use config::{Mode, ModelConfig, OnFailure, OutputsConfig, RunConfig, Source};
pub use error::ProgramError;
pub use pool::Workers;
pub use program::ProgramModel;
pub use um_bridge::{Served, ServedError, ServedFn, ServedModel, Server, Stop, UmBridgeModel};
