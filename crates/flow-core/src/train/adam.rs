//! Adam with the reference package's constants, after clipping by the norm of all gradients.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::{AdamConfig, GradientsParams, ModuleOptimizer},
    tensor::Tensor,
};

/// Adam (Kingma and Ba, ICLR 2015) with β = (0.9, 0.999) and ε = 1e-8, preceded by clipping of the
/// gradient of all parameters together; burn's own clipping takes each parameter alone.
pub struct GlobalAdam {
    adam: ModuleOptimizer,
    clip_norm: f64,
}

impl GlobalAdam {
    /// An optimiser that bounds the norm of the gradient by `clip_norm`.
    pub fn new(clip_norm: f64) -> Self {
        Self { adam: AdamConfig::new().with_epsilon(1e-8).init(), clip_norm }
    }

    /// One step; `grads` belong to `module`.
    pub fn step<M: Module>(&mut self, rate: f64, module: M, mut grads: GradientsParams) -> M {
        clip_by_global_norm(&mut grads, &module, self.clip_norm);
        self.adam.step(rate, module, grads)
    }
}

/// Scales all gradients by `max / (norm + 1e-6)` if their joint norm exceeds `max`; returns the norm
/// before.
pub fn clip_by_global_norm<M: Module>(grads: &mut GradientsParams, module: &M, max: f64) -> f64 {
    let mut squares = Squares { grads, sum: 0.0 };
    module.visit(&mut squares);
    let norm = squares.sum.sqrt();
    if norm > max {
        module.visit(&mut Scale { grads, factor: max / (norm + 1e-6) });
    }
    norm
}

struct Squares<'a> {
    grads: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            self.sum += grad.square().sum().into_scalar::<f64>();
        }
    }
}

struct Scale<'a> {
    grads: &'a mut GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.remove::<D>(param.id) {
            self.grads.register(param.id, grad.mul_scalar(self.factor));
        }
    }
}
