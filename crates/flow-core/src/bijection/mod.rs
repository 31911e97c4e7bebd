//! Invertible layers, one a file.
//!
//! Each layer maps in two directions, `encode` from data to latent and `decode` back, and returns
//! the image together with the log-determinant of the direction taken, so that the two are never
//! computed apart.

mod autoregressive;
mod chain;
mod coupling;
mod lu_linear;
mod permutation;
mod rq_spline;
mod standardize;

pub use autoregressive::RqAutoregressive;
use burn::tensor::Tensor;
pub use chain::Chain;
pub(crate) use chain::{Kind, layout};
pub use coupling::RqCoupling;
pub(crate) use coupling::coupling_features;
pub use lu_linear::LuLinear;
pub(crate) use lu_linear::lu_factors;
pub use permutation::Permutation;
pub use rq_spline::{RawKnots, RqSpline};
pub use standardize::Standardize;
pub(crate) use standardize::check_finite;

/// An invertible map between data `x` and latent `z`.
pub trait Bijection {
    /// # Shapes
    /// - `x`: `[n, d]`; returns `z`: `[n, d]` and $\log|\det \partial z/\partial x|$: `[n]`
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>);

    /// # Shapes
    /// - `z`: `[n, d]`; returns `x`: `[n, d]` and $\log|\det \partial x/\partial z|$: `[n]`
    fn decode(&self, z: Tensor<2>) -> (Tensor<2>, Tensor<1>);
}

/// Columns `indices` of `x`, in that order.
fn select_columns(x: Tensor<2>, indices: &[usize]) -> Tensor<2> {
    let indices: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
    let device = x.device().without_autodiff();
    x.select(1, Tensor::from_ints(indices.as_slice(), &device))
}

/// A log-determinant of zero for each row of `x`.
fn zero_ln_det(x: &Tensor<2>) -> Tensor<1> {
    Tensor::zeros([x.dims()[0]], crate::device::like(x))
}
