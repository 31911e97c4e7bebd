//! The networks that turn identity features into spline parameters.

mod batch_norm;
mod linear;
mod residual;

pub use batch_norm::BatchNorm;
pub use linear::Linear;
pub use residual::ResidualNet;
