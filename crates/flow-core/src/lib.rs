//! Neural spline flows on [burn](https://burn.dev): transforms, training, one-file checkpoints.
//!
//! A [`Flow`] is an invertible map between a standard normal latent `u` and outcomes `x`. It is
//! built from rational-quadratic spline couplings (Durkan et al., *Neural Spline Flows*, NeurIPS
//! 2019), LU-decomposed linear layers and a reversing permutation, and standardises the features it
//! was trained on. The arithmetic and the tensor names are those of the Python package `nflows`.
//!
//! ```
//! use flow_core::{FlowConfig, TrainSettings, fit};
//! use nalgebra::DMatrix;
//!
//! // Outcomes of a simulator, one per column.
//! let x = DMatrix::from_fn(2, 512, |i, j| ((i + 1) as f64 * j as f64).sin());
//! let config = FlowConfig::builder(2).build()?;
//! let settings = TrainSettings::builder().epochs(1).build()?;
//! let trained = fit(x.as_view(), &config, &settings, &flow_core::default_device(), &mut ())?;
//!
//! let mapped = trained.flow.encode(x.as_view())?;
//! assert_eq!(mapped.points.shape(), (2, 512));
//! # Ok::<(), flow_core::FlowError>(())
//! ```

mod base;
pub mod bijection;
mod config;
mod cpu;
mod device;
mod error;
mod evaluator;
mod file;
mod flow;
mod health;
mod io;
mod mapped;
mod nflows;
pub mod nn;
mod standardised;
mod state_dict;
#[cfg(test)]
mod testing;
pub mod train;

pub use burn::tensor::Device;
pub use config::{FlowConfig, FlowConfigBuilder, LinearKind, TransformKind};
pub use device::{DEVICES, Precision, default_device, device};
pub use error::FlowError;
pub use flow::Flow;
pub use health::{Check, Finding, Health};
pub use io::FlowFile;
pub use mapped::Mapped;
pub use standardised::StandardisedFlow;
pub use state_dict::{HostTensor, StateDict};
pub use train::{
    Checkpoint, TrainSettings, TrainSettingsBuilder, Trained, TrainingRecord, fit, fit_resumable,
};
