//! Batch normalisation with the constants of the reference package.

use burn::{
    module::{Module, Param, RunningState},
    tensor::{
        Tensor, TensorCreationOptions,
        module::{batch_norm, batch_norm_train},
    },
};

use crate::{error::FlowError, state_dict::StateDict};

/// Added to the variance.
pub(crate) const EPSILON: f64 = 1e-3;
/// Weight of a batch in the running statistics.
pub(crate) const MOMENTUM: f64 = 0.1;

/// Batch normalisation over the rows of `[n, units]` (Ioffe and Szegedy 2015).
///
/// In training, the mean and the biased variance of the batch normalise, and the running statistics
/// are updated with the mean and the unbiased variance. Otherwise the running statistics normalise.
#[derive(Module, Debug)]
pub struct BatchNorm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    running_mean: RunningState<Tensor<1>>,
    running_var: RunningState<Tensor<1>>,
}

impl BatchNorm {
    pub(crate) fn init(units: usize, options: &TensorCreationOptions) -> Self {
        Self {
            gamma: Param::from_tensor(Tensor::ones([units], options.clone())),
            beta: Param::from_tensor(Tensor::zeros([units], options.clone())),
            running_mean: RunningState::new(Tensor::zeros([units], options.clone())),
            running_var: RunningState::new(Tensor::ones([units], options.clone())),
        }
    }

    /// # Shapes
    /// - `x`: `[n, units]`, and so is the result
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        if !x.device().is_autodiff() {
            let (mean, var) = (self.running_mean.value(), self.running_var.value());
            return batch_norm(x, gamma, beta, mean, var, EPSILON);
        }
        let rows = x.dims()[0] as f64;
        let batch = batch_norm_train(x, gamma, beta, EPSILON);
        let unbiased = batch.variance.mul_scalar(rows / (rows - 1.0));
        blend(&self.running_mean, batch.mean);
        blend(&self.running_var, unbiased);
        batch.output
    }

    pub(crate) fn export(&self, prefix: &str, state: &mut StateDict) -> Result<(), FlowError> {
        state.put(format!("{prefix}.weight"), self.gamma.val())?;
        state.put(format!("{prefix}.bias"), self.beta.val())?;
        state.put(format!("{prefix}.running_mean"), self.running_mean.value_sync())?;
        state.put(format!("{prefix}.running_var"), self.running_var.value_sync())?;
        // The reference package counts batches there; no result depends on it.
        state.put_integer(format!("{prefix}.num_batches_tracked"), 0);
        Ok(())
    }

    pub(crate) fn import(
        prefix: &str,
        units: usize,
        state: &mut StateDict,
        options: &TensorCreationOptions,
    ) -> Self {
        state.remove(&format!("{prefix}.num_batches_tracked"));
        let mut take = |name| state.take(&format!("{prefix}.{name}"), [units], options);
        Self {
            gamma: Param::from_tensor(take("weight")),
            beta: Param::from_tensor(take("bias")),
            running_mean: RunningState::new(take("running_mean")),
            running_var: RunningState::new(take("running_var")),
        }
    }
}

/// Updates running statistics with those of a batch. A unit whose batch statistic is not finite keeps
/// its old one, so that a single bad batch does not damage the layer permanently.
fn blend(running: &RunningState<Tensor<1>>, batch: Tensor<1>) {
    let old = running.value_sync();
    let batch = batch.detach();
    let bad = batch.clone().is_finite().bool_not();
    let new = old.clone().mul_scalar(1.0 - MOMENTUM) + batch.mul_scalar(MOMENTUM);
    running.update(new.mask_where(bad, old).detach());
}
