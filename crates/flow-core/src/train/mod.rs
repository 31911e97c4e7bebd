//! Maximum-likelihood training.

mod adam;
mod fit;
mod observer;
mod record;
mod settings;

pub use adam::{GlobalAdam, clip_by_global_norm};
pub use fit::{Trained, fit, negative_log_likelihood};
pub use observer::{Epoch, Observer};
pub use record::TrainingRecord;
pub use settings::{Schedule, TrainSettings};
