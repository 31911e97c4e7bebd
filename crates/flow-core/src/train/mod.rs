//! Maximum-likelihood training.

mod adam;
mod checkpoint;
mod compiled;
mod fit;
mod learner;
mod observer;
mod record;
mod run;
mod settings;
mod weights;

pub use adam::{GlobalAdam, gradient_norm};
pub use checkpoint::Checkpoint;
pub use fit::{Trained, data_hash, fit, fit_resumable};
pub use observer::{Epoch, Observer};
pub use record::TrainingRecord;
pub use run::negative_log_likelihood;
pub use settings::{Jitter, Schedule, TrainSettings};
