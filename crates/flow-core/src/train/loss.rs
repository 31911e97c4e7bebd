//! The training loss.

use burn::tensor::Tensor;

use crate::{
    base::LN_2PI,
    bijection::{chain::Chain, map::Bijection},
};

/// The training loss: the mean of $-\ln p(x_\text{std})$ over a batch of standardised outcomes.
///
/// # Shapes
/// - `x_std`: `[n, d]`; returns `[1]`
pub fn negative_log_likelihood(chain: &Chain, x_std: Tensor<2>) -> Tensor<1> {
    let d = x_std.dims()[1] as f64;
    let (u, ln_det) = chain.encode(x_std);
    let squares = u.square().sum_dim(1).squeeze_dim::<1>(1);
    (squares.mul_scalar(0.5) - ln_det).mean().add_scalar(0.5 * d * LN_2PI)
}
