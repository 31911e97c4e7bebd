//! Maximum-likelihood training.

mod adam;
mod burn_learner;
pub(crate) mod checkpoint;
mod cpu_learner;
mod data;
pub(crate) mod fit;
mod held_out;
mod jitter;
mod learner;
#[cfg(test)]
mod learner_tests;
pub(crate) mod loss;
mod member;
mod observer;
pub(crate) mod record;
mod rng;
mod run;
#[cfg(test)]
mod run_tests;
mod schedule;
pub(crate) mod settings;
mod state;
pub(crate) mod weights;

pub use adam::{GlobalAdam, gradient_norm};
pub use checkpoint::Checkpoint;
pub use data::data_hash;
pub use fit::{fit, fit_resumable};
pub use jitter::Jitter;
pub use loss::negative_log_likelihood;
pub use member::fit_member;
pub use observer::{Epoch, TrainingObserver};
pub use record::{Trained, TrainingRecord};
pub use schedule::Schedule;
pub use settings::{TrainSettings, TrainSettingsBuilder};
