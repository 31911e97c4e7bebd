//! What every bijection does, and helpers for implementations.

use burn::tensor::Tensor;

use crate::device::like;

/// An invertible map between outcomes `x` and latent `u`, or one layer of it.
///
/// Both directions return the log-determinant of the direction taken with the mapped points, because
/// the two share most of their computation.
pub trait Bijection {
    /// # Shapes
    /// - `x`: `[n, d]`; returns `u`: `[n, d]` and $\ln|\det \partial u/\partial x|$: `[n]`
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>);

    /// # Shapes
    /// - `u`: `[n, d]`; returns `x`: `[n, d]` and $\ln|\det \partial x/\partial u|$: `[n]`
    fn decode(&self, u: Tensor<2>) -> (Tensor<2>, Tensor<1>);
}

/// Columns `indices` of `x`, in that order.
pub(crate) fn select_columns(x: Tensor<2>, indices: &[usize]) -> Tensor<2> {
    let indices: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
    let device = x.device().without_autodiff();
    x.select(1, Tensor::from_ints(indices.as_slice(), &device))
}

/// A log-determinant of zero for each row of `x`.
pub(crate) fn zero_ln_det(x: &Tensor<2>) -> Tensor<1> {
    Tensor::zeros([x.dims()[0]], like(x))
}
