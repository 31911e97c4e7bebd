//! A fully connected layer with weights from a host generator.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, TensorCreationOptions, TensorData},
};
use rand::Rng;
use rand_distr::{Distribution, Uniform};

use crate::{FlowError, StateDict, device::like};

/// $y = x W + b$.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`; stored in files as `[outputs, inputs]`.
    weight: Param<Tensor<2>>,
    /// `[outputs]`
    bias: Param<Tensor<1>>,
}

impl Linear {
    /// Weights and biases uniform in ±`bound`; without a bound, ±1/√inputs.
    ///
    /// The generator belongs to the caller, so that equal seeds give equal weights on every device.
    pub(crate) fn init(
        inputs: usize,
        outputs: usize,
        bound: Option<f64>,
        rng: &mut impl Rng,
        options: &TensorCreationOptions,
    ) -> Self {
        let bound = bound.unwrap_or(1.0 / (inputs as f64).sqrt());
        let uniform = Uniform::new_inclusive(-bound, bound).expect("the bound is positive");
        let mut draw = |n: usize| (0..n).map(|_| uniform.sample(rng)).collect::<Vec<f64>>();
        let weight = TensorData::new(draw(inputs * outputs), [outputs, inputs]);
        let bias = TensorData::new(draw(outputs), [outputs]);
        Self::from_parts(
            Tensor::from_data(weight, options.clone()),
            Tensor::from_data(bias, options.clone()),
        )
    }

    fn from_parts(weight_rows: Tensor<2>, bias: Tensor<1>) -> Self {
        Self { weight: contiguous_param(weight_rows.transpose()), bias: Param::from_tensor(bias) }
    }

    /// # Shapes
    /// - `x`: `[n, inputs]`; returns `[n, outputs]`
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        burn::tensor::module::linear(x, self.weight.val(), Some(self.bias.val()))
    }

    pub(crate) fn export(&self, prefix: &str, state: &mut StateDict) -> Result<(), FlowError> {
        state.put(format!("{prefix}.weight"), self.weight.val().transpose())?;
        state.put(format!("{prefix}.bias"), self.bias.val())
    }

    pub(crate) fn import(
        prefix: &str,
        [inputs, outputs]: [usize; 2],
        state: &mut StateDict,
        options: &TensorCreationOptions,
    ) -> Self {
        let weight = state.take(&format!("{prefix}.weight"), [outputs, inputs], options);
        Self::from_parts(weight, state.take(&format!("{prefix}.bias"), [outputs], options))
    }
}

/// A parameter whose memory is in the order of its shape, not a transposed view.
fn contiguous_param(tensor: Tensor<2>) -> Param<Tensor<2>> {
    let options = like(&tensor);
    Param::from_tensor(Tensor::from_data(tensor.into_data(), options))
}
