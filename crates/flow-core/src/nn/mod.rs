//! The networks that turn features into spline parameters.

mod batch_norm;
mod linear;
mod masks;
mod residual;

pub use batch_norm::BatchNorm;
pub use linear::Linear;
pub(crate) use masks::Masks;
pub use residual::ResidualNet;
