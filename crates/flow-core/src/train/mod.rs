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
mod resample;
mod rng;
mod row_weights;
mod run;
#[cfg(test)]
mod run_tests;
mod schedule;
pub(crate) mod settings;
mod state;
mod weighted;
#[cfg(test)]
mod weighted_tests;
pub(crate) mod weights;

pub use adam::{GlobalAdam, gradient_norm};
pub use checkpoint::Checkpoint;
pub use data::{data_hash, weighted_data_hash};
pub use fit::{fit, fit_resumable};
pub use jitter::Jitter;
pub use loss::negative_log_likelihood;
pub use member::fit_member;
pub use observer::{Epoch, TrainingObserver};
pub use record::{Trained, TrainingRecord};
pub use row_weights::RowWeightsError;
pub use schedule::Schedule;
pub use settings::{TrainSettings, TrainSettingsBuilder};
pub use weighted::fit_weighted;
