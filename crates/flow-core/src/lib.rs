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
//! // Outcomes of a simulator, one a column.
//! let x = DMatrix::from_fn(2, 512, |i, j| ((i + 1) as f64 * j as f64).sin());
//! let settings = TrainSettings { epochs: 1, ..TrainSettings::default() };
//! let trained = fit(x.as_view(), &FlowConfig::new(2), &settings, &flow_core::default_device(), &mut ())?;
//!
//! let image = trained.flow.encode(x.as_view())?;
//! assert_eq!(image.points.shape(), (2, 512));
//! # Ok::<(), flow_core::FlowError>(())
//! ```

pub mod bijection;
mod config;
mod device;
mod engine;
mod error;
mod file;
mod flow;
mod health;
mod io;
mod nflows;
pub mod nn;
mod state_dict;
#[cfg(test)]
mod testing;
pub mod train;

pub use burn::tensor::Device;
pub use config::{BaseKind, FlowConfig, LinearKind};
pub use device::{DEVICES, Precision, default_device, device};
pub use error::FlowError;
pub use flow::{Flow, Image};
pub use health::{Check, Finding, Health};
pub use io::FlowFile;
pub use state_dict::{HostTensor, StateDict};
pub use train::{Checkpoint, TrainSettings, Trained, TrainingRecord, fit, fit_resumable};
