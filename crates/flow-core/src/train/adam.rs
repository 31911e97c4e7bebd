//! Adam with the reference package's constants, after clipping by the norm of all gradients.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::{AdamConfig, GradientsParams, ModuleOptimizer},
    tensor::{Bytes, Tensor},
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

    /// One step; `grads` belong to `module`. `None`, and no change, if the norm of the gradient is
    /// not finite.
    pub fn step<M: Module>(
        &mut self,
        rate: f64,
        module: &M,
        mut grads: GradientsParams,
    ) -> Option<M> {
        let norm = clip_by_global_norm(&mut grads, module, self.clip_norm);
        norm.is_finite().then(|| self.adam.step(rate, module.clone(), grads))
    }

    /// The moments as bytes.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let bytes = self.adam.into_bytes().map_err(|error| error.to_string())?;
        Ok(bytes.to_vec())
    }

    /// An optimiser with moments taken from bytes; parameters must have kept their identities.
    pub(crate) fn from_bytes(clip_norm: f64, bytes: Vec<u8>) -> Result<Self, String> {
        let new = Self::new(clip_norm);
        let adam = new.adam.from_bytes(Bytes::from_bytes_vec(bytes)).map_err(|e| e.to_string())?;
        Ok(Self { adam, clip_norm })
    }
}

/// Scales all gradients by `max / (norm + 1e-6)` if their joint norm exceeds `max`; returns the norm
/// before.
pub fn clip_by_global_norm<M: Module>(grads: &mut GradientsParams, module: &M, max: f64) -> f64 {
    let mut squares = Squares { grads, sum: None };
    module.visit(&mut squares);
    // One number to fetch from the device, not one for each parameter.
    let norm = squares.sum.map_or(0.0, |sum| sum.into_scalar::<f64>().sqrt());
    if norm > max && norm.is_finite() {
        module.visit(&mut Scale { grads, factor: max / (norm + 1e-6) });
    }
    norm
}

struct Squares<'a> {
    grads: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            let square = grad.square().sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
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
