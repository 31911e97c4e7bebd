//! Results as one page of HTML: numbers, settings, figures, versions.

pub mod estimate;
pub mod evaluation;
pub mod model_estimate;
mod page;
mod parts;
pub mod study;
