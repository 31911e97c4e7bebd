//! The conditioners: networks that compute the parameters of splines from features.

pub(crate) mod batch_norm;
pub(crate) mod linear;
pub(crate) mod masks;
pub(crate) mod residual;

pub use batch_norm::BatchNorm;
pub use linear::Linear;
pub use residual::ResidualNet;
