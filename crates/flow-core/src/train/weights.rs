//! All numbers of a chain as a list of flat tensors, in the order in which burn visits them.
//!
//! Running statistics and masks are among them; masks never change.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Tensor, TensorData},
};

use crate::{
    bijection::chain::Chain, cpu::training::tensors::Weights, device::like, error::FlowError,
};

/// The tensors of `chain`, flat, without gradients and on its device.
fn tensors(chain: &Chain) -> Vec<Tensor<1>> {
    struct Collect(Vec<Tensor<1>>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().flatten(0, D - 1));
        }
    }
    let mut collect = Collect(Vec::new());
    // `valid` also updates the running statistics.
    chain.valid().visit(&mut collect);
    collect.0
}

/// The tensors of `chain` on the host.
///
/// # Errors
/// [`FlowError::Execution`] when the device cannot be read.
pub(crate) fn weights(chain: &Chain) -> Result<Weights, FlowError> {
    tensors(chain).into_iter().map(host).collect()
}

/// A flat tensor on the host.
///
/// # Errors
/// [`FlowError::Execution`] when the device cannot be read.
pub(crate) fn host(tensor: Tensor<1>) -> Result<Vec<f32>, FlowError> {
    tensor.try_into_vec_as::<f32>().map_err(|error| FlowError::Execution(error.to_string()))
}

/// `chain` with other weights, without gradients.
pub(crate) fn with_weights(chain: &Chain, weights: &[Vec<f32>]) -> Chain {
    struct Put<'a>(std::slice::Iter<'a, Vec<f32>>);
    impl ModuleMapper for Put<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let flat = self.0.next().expect("as many tensors as the chain has").clone();
            param.map(|old| Tensor::from_data(TensorData::new(flat, old.shape()), like(&old)))
        }
    }
    chain.valid().map(&mut Put(weights.iter()))
}

/// Number of trained parameters.
pub(crate) fn trained(chain: &Chain) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let count = param.val().shape().num_elements();
            self.0 += if param.is_require_grad() { count } else { 0 };
        }
    }
    let mut count = Count(0);
    chain.visit(&mut count);
    count.0
}

/// Decay of an exponential moving average of weights (Polyak and Juditsky 1992) after `steps` steps. It
/// is smaller in the first steps, so that the influence of the initial weights vanishes quickly.
pub(crate) fn decay(decay: f64, steps: usize) -> f64 {
    let steps = steps as f64;
    decay.min((1.0 + steps) / (10.0 + steps))
}

/// The exponential moving average of the weights, on the device of the chain.
#[derive(Clone, Debug)]
pub(crate) struct Average(Vec<Tensor<1>>);

impl Average {
    /// An average with the weights of `chain` as initial value.
    pub(crate) fn new(chain: &Chain) -> Self {
        Self(tensors(chain))
    }

    /// Updates the average with the weights of a step.
    pub(crate) fn update(&mut self, chain: &Chain, decay: f64) {
        for (average, new) in self.0.iter_mut().zip(tensors(chain)) {
            // In this form a mask, which never changes, keeps its exact values.
            let step = (new - average.clone()).mul_scalar(1.0 - decay);
            *average = average.clone() + step;
        }
    }

    /// The average on the host.
    ///
    /// # Errors
    /// [`FlowError::Execution`] when the device cannot be read.
    pub(crate) fn weights(&self) -> Result<Weights, FlowError> {
        self.0.iter().cloned().map(host).collect()
    }
}
