//! Distributions of one variable.

pub(crate) mod normal;
