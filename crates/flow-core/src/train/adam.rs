//! Adam after clipping of the gradient with respect to all parameters, for burn modules.
//!
//! The gradients are concatenated, so that a step is a few operations on one long tensor instead of a
//! few per parameter: on a GPU, starting a small operation takes as long as the operation.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::Tensor,
};

use crate::cpu::adam::{BETA, EPSILON};

/// Adam (Kingma and Ba, ICLR 2015) with β = (0.9, 0.999) and ε = 1e-8, after clipping of the gradient
/// with respect to all parameters; burn's own clipping treats each parameter separately.
#[derive(Clone, Debug)]
pub struct GlobalAdam {
    /// First and second moments of the concatenated parameters; `None` before the first step.
    pub(super) moments: Option<[Tensor<1>; 2]>,
    pub(super) steps: u32,
    clip_norm: f64,
}

impl GlobalAdam {
    /// An optimiser that limits the norm of the gradient to `clip_norm`.
    pub fn new(clip_norm: f64) -> Self {
        Self { moments: None, steps: 0, clip_norm }
    }

    /// The module after one step; `grads` are its gradients. Every step must be for the same module, with
    /// the values of the step before. Returns `None` if the norm of the gradient is not finite.
    pub fn step<M: Module>(&mut self, rate: f64, module: &M, grads: &GradientsParams) -> Option<M> {
        let Some(mut grad) = flat(grads, module) else { return Some(module.clone()) };
        let norm = norm(&grad);
        if !norm.is_finite() {
            return None;
        }
        if norm > self.clip_norm {
            grad = grad.mul_scalar(self.clip_norm / (norm + 1e-6));
        }
        self.steps += 1;
        let correction = BETA.map(|beta| 1.0 - beta.powi(self.steps as i32));
        let square = grad.clone().square();
        let [first, second] = match self.moments.take() {
            Some([first, second]) => [(first, grad, BETA[0]), (second, square, BETA[1])]
                .map(|(old, new, beta)| old.mul_scalar(beta) + new.mul_scalar(1.0 - beta)),
            None => [grad.mul_scalar(1.0 - BETA[0]), square.mul_scalar(1.0 - BETA[1])],
        };
        let root = second.clone().sqrt().mul_scalar(1.0 / correction[1].sqrt());
        let step = first.clone().mul_scalar(rate / correction[0]) / root.add_scalar(EPSILON);
        self.moments = Some([first, second]);
        Some(module.clone().map(&mut Move { grads, step, done: 0 }))
    }
}

/// Norm of the gradient with respect to all parameters; `grads` are the gradients of `module`.
pub fn gradient_norm<M: Module>(grads: &GradientsParams, module: &M) -> f64 {
    flat(grads, module).map_or(0.0, |grad| norm(&grad))
}

fn norm(grad: &Tensor<1>) -> f64 {
    grad.clone().square().sum().into_scalar::<f64>().sqrt()
}

/// The concatenated gradients of the parameters that have one.
fn flat<M: Module>(grads: &GradientsParams, module: &M) -> Option<Tensor<1>> {
    struct Collect<'a>(&'a GradientsParams, Vec<Tensor<1>>);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let grad = self.0.get::<D>(param.id);
            self.1.extend(grad.map(|grad| grad.flatten(0, D - 1)));
        }
    }
    let mut collect = Collect(grads, Vec::new());
    module.visit(&mut collect);
    (!collect.1.is_empty()).then(|| Tensor::cat(collect.1, 0))
}

/// Subtracts its part of the step from each parameter that has a gradient.
struct Move<'a> {
    grads: &'a GradientsParams,
    step: Tensor<1>,
    done: usize,
}

impl ModuleMapper for Move<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.grads.get::<D>(param.id).is_none() {
            return param;
        }
        let (id, value, mapper) = param.consume();
        let shape = value.shape();
        let part = self.step.clone().narrow(0, self.done, shape.num_elements());
        self.done += shape.num_elements();
        let moved = value.inner() - part.reshape(shape);
        Param::from_mapped_value(id, Tensor::from_inner(moved).require_grad(), mapper)
    }
}
