//! The tables `[model]` and `[outputs]` of a model's file.

mod limit;
mod model;
mod outputs;
mod run;

pub use model::{Mode, ModelConfig, Source};
pub use outputs::OutputsConfig;
pub use run::{OnFailure, RunConfig};
