//! Results as one page of HTML: numbers, settings, figures, versions.

pub mod estimate;
pub mod evaluation;
mod page;
