//! All numbers of a chain as one list of flat tensors, in the order in which burn visits them.
//!
//! Running statistics are among them; masks are too, and never change.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    tensor::Tensor,
};

use crate::bijection::Chain;

/// The tensors of `chain`, flat and without gradients.
pub(crate) fn weights(chain: &Chain) -> Vec<Tensor<1>> {
    struct Collect(Vec<Tensor<1>>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().flatten(0, D - 1));
        }
    }
    let mut collect = Collect(Vec::new());
    // `valid` first brings the running statistics up to date.
    chain.valid().visit(&mut collect);
    collect.0
}

/// `chain` without gradients and with `weights` in place of its own.
pub(crate) fn with_weights(chain: &Chain, weights: &[Tensor<1>]) -> Chain {
    struct Put<'a>(std::slice::Iter<'a, Tensor<1>>);
    impl ModuleMapper for Put<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let flat = self.0.next().expect("as many tensors as the chain has").clone();
            param.map(|old| flat.reshape(old.shape()))
        }
    }
    chain.valid().map(&mut Put(weights.iter()))
}

/// Identities of the parameters, by which an optimiser knows them.
pub(crate) fn ids(chain: &Chain) -> Vec<u64> {
    struct Collect(Vec<u64>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.id.val());
        }
    }
    let mut collect = Collect(Vec::new());
    chain.visit(&mut collect);
    collect.0
}

/// `chain` with other identities of its parameters.
pub(crate) fn with_ids(chain: Chain, ids: &[u64]) -> Chain {
    struct Put<'a>(std::slice::Iter<'a, u64>);
    impl ModuleMapper for Put<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let id = ParamId::from(*self.0.next().expect("as many as the chain has"));
            let trained = param.is_require_grad();
            Param::initialized(id, param.into_value()).set_require_grad(trained)
        }
    }
    chain.map(&mut Put(ids.iter()))
}

/// Exponential moving average of weights (Polyak and Juditsky 1992).
#[derive(Clone, Debug)]
pub(crate) struct Average {
    pub(crate) tensors: Vec<Tensor<1>>,
    decay: f64,
}

impl Average {
    /// An average that begins with the weights of `chain`.
    pub(crate) fn new(decay: f64, chain: &Chain) -> Self {
        Self { tensors: weights(chain), decay }
    }

    /// An average taken up again.
    pub(crate) fn resume(decay: f64, tensors: Vec<Tensor<1>>) -> Self {
        Self { tensors, decay }
    }

    /// Takes up the weights after `steps` steps; early on they count for more, so that the start is
    /// soon forgotten.
    pub(crate) fn update(&mut self, chain: &Chain, steps: usize) {
        let steps = steps as f64;
        let decay = self.decay.min((1.0 + steps) / (10.0 + steps));
        for (average, new) in self.tensors.iter_mut().zip(weights(chain)) {
            *average = average.clone().mul_scalar(decay) + new.mul_scalar(1.0 - decay);
        }
    }
}
