//! A fully connected layer.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, TensorCreationOptions, TensorData},
};
use rand::Rng;
use rand_distr::{Distribution, Uniform};

use crate::{device::like, error::FlowError, nn::masks::Mask, state_dict::StateDict};

/// $y = x W + b$; a mask may remove connections.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`; stored in files as `[outputs, inputs]`.
    weight: Param<Tensor<2>>,
    /// `[outputs]`
    bias: Param<Tensor<1>>,
    /// 1 for a connection and 0 for a removed one, in the shape of the weight; not trained.
    mask: Option<Param<Tensor<2>>>,
    /// Degrees of the outputs; see [`Masks`](crate::nn::masks::Masks).
    #[module(skip)]
    degrees: Vec<usize>,
}

impl Linear {
    /// Weights and biases uniform in ±`bound`; without a bound, ±1/√inputs. The biases lie around `centre`, if there is
    /// one, `[outputs]`.
    ///
    /// The generator runs on the host, so that equal seeds give equal weights on every device.
    pub(crate) fn init(
        [inputs, outputs]: [usize; 2],
        bound: Option<f64>,
        centre: Option<&[f64]>,
        mask: Option<&Mask>,
        rng: &mut impl Rng,
        options: &TensorCreationOptions,
    ) -> Self {
        let bound = bound.unwrap_or(1.0 / (inputs as f64).sqrt());
        let uniform = Uniform::new_inclusive(-bound, bound).expect("the bound is positive");
        let mut draw = |n: usize| (0..n).map(|_| uniform.sample(rng)).collect::<Vec<f64>>();
        let weight = TensorData::new(draw(inputs * outputs), [outputs, inputs]);
        let mut bias = draw(outputs);
        for (bias, centre) in bias.iter_mut().zip(centre.unwrap_or_default()) {
            *bias += centre;
        }
        let bias = TensorData::new(bias, [outputs]);
        Self::from_parts(
            Tensor::from_data(weight, options.clone()),
            Tensor::from_data(bias, options.clone()),
            mask,
        )
    }

    /// `weight_rows` is `[outputs, inputs]`.
    fn from_parts(weight_rows: Tensor<2>, bias: Tensor<1>, mask: Option<&Mask>) -> Self {
        let shape = weight_rows.dims();
        let connections = mask.map(|mask| {
            let data = TensorData::new(mask.values.clone(), shape);
            let rows = Tensor::<2>::from_data(data, like(&weight_rows));
            contiguous_param(rows.transpose()).set_require_grad(false)
        });
        Self {
            weight: contiguous_param(weight_rows.transpose()),
            bias: Param::from_tensor(bias),
            mask: connections,
            degrees: mask.map(|mask| mask.degrees.clone()).unwrap_or_default(),
        }
    }

    /// # Shapes
    /// - `x`: `[n, inputs]`; returns `[n, outputs]`
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let weight = match &self.mask {
            Some(mask) => self.weight.val() * mask.val(),
            None => self.weight.val(),
        };
        burn::tensor::module::linear(x, weight, Some(self.bias.val()))
    }

    pub(crate) fn export(&self, prefix: &str, state: &mut StateDict) -> Result<(), FlowError> {
        state.put(format!("{prefix}.weight"), self.weight.val().transpose())?;
        state.put(format!("{prefix}.bias"), self.bias.val())?;
        if let Some(mask) = &self.mask {
            state.put(format!("{prefix}.mask"), mask.val().transpose())?;
            state.put_integers(format!("{prefix}.degrees"), &self.degrees);
        }
        Ok(())
    }

    pub(crate) fn import(
        prefix: &str,
        [inputs, outputs]: [usize; 2],
        mask: Option<&Mask>,
        state: &mut StateDict,
        options: &TensorCreationOptions,
    ) -> Self {
        let weight = state.take(&format!("{prefix}.weight"), [outputs, inputs], options);
        let bias = state.take(&format!("{prefix}.bias"), [outputs], options);
        if let Some(mask) = mask {
            state.expect(&format!("{prefix}.mask"), &[outputs, inputs], &mask.values);
            state.expect_integers(&format!("{prefix}.degrees"), &mask.degrees);
        }
        Self::from_parts(weight, bias, mask)
    }
}

/// A parameter whose memory is contiguous, not a transposed view.
fn contiguous_param(tensor: Tensor<2>) -> Param<Tensor<2>> {
    let options = like(&tensor);
    Param::from_tensor(Tensor::from_data(tensor.into_data(), options))
}
