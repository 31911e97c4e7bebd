//! A coupling layer: the splines of one half of the features are conditioned on the other half.

use burn::{
    module::Module,
    tensor::{Tensor, TensorCreationOptions},
};
use rand::Rng;

use crate::{
    bijection::{
        map::{Bijection, select_columns},
        permutation::invert,
        rq_spline::{RawKnots, RqSpline},
    },
    config::FlowConfig,
    error::FlowError,
    nn::residual::ResidualNet,
    state_dict::StateDict,
};

/// Rational-quadratic coupling (Durkan et al. 2019).
///
/// Every second feature is transformed, from the first on in even steps and from the second on in odd
/// ones. The conditioner, a residual network, computes the knots of their splines from the others.
#[derive(Module, Debug)]
pub struct RqCoupling {
    net: ResidualNet,
    #[module(skip)]
    transformed: Vec<usize>,
    #[module(skip)]
    identity: Vec<usize>,
    /// Order that undoes the concatenation of identity and transformed features.
    #[module(skip)]
    merge: Vec<usize>,
    #[module(skip)]
    spline: RqSpline,
    /// Factor of raw widths and heights, $1 / \sqrt{\text{hidden}}$. The reference package divides; burn
    /// takes the reciprocal of a divisor in single precision when it differentiates.
    scale: f64,
}

impl RqCoupling {
    /// The coupling of step `step` with weights from `rng`, which is near the identity.
    pub(crate) fn init(
        step: usize,
        config: &FlowConfig,
        rng: &mut impl Rng,
        options: &TensorCreationOptions,
    ) -> Self {
        let spline = RqSpline::new(config.bins(), config.tail_bound());
        Self::build(step, config, |[inputs, outputs]| {
            let start = spline.identity(outputs / spline.raw_len());
            ResidualNet::init([inputs, outputs], &start, None, config, rng, options)
        })
    }

    pub(crate) fn import(
        prefix: &str,
        step: usize,
        config: &FlowConfig,
        state: &mut StateDict,
        options: &TensorCreationOptions,
    ) -> Self {
        let net = format!("{prefix}.transform_net");
        let layer = Self::build(step, config, |shape| {
            ResidualNet::import(&net, shape, None, config, state, options)
        });
        state.expect_integers(&format!("{prefix}.identity_features"), &layer.identity);
        state.expect_integers(&format!("{prefix}.transform_features"), &layer.transformed);
        layer
    }

    fn build(
        step: usize,
        config: &FlowConfig,
        net: impl FnOnce([usize; 2]) -> ResidualNet,
    ) -> Self {
        let spline = RqSpline::new(config.bins(), config.tail_bound());
        let (transformed, identity) = config.coupling_features(step);
        let net = net([identity.len(), transformed.len() * spline.raw_len()]);
        let merge = invert(&[identity.clone(), transformed.clone()].concat());
        let scale = 1.0 / (config.hidden() as f64).sqrt();
        Self { net, transformed, identity, merge, spline, scale }
    }

    pub(crate) fn export(&self, prefix: &str, state: &mut StateDict) -> Result<(), FlowError> {
        state.put_integers(format!("{prefix}.identity_features"), &self.identity);
        state.put_integers(format!("{prefix}.transform_features"), &self.transformed);
        self.net.export(&format!("{prefix}.transform_net"), state)
    }

    /// Applies `spline` to the transformed features with knots from the identity features.
    fn apply(
        &self,
        x: Tensor<2>,
        spline: impl FnOnce(Tensor<2>, RawKnots) -> (Tensor<2>, Tensor<2>),
    ) -> (Tensor<2>, Tensor<1>) {
        let identity = select_columns(x.clone(), &self.identity);
        let transformed = select_columns(x, &self.transformed);
        let raw = self.raw_knots(identity.clone());
        let (mapped, ln_slope) = spline(transformed, raw);
        let merged = select_columns(Tensor::cat(vec![identity, mapped], 1), &self.merge);
        (merged, ln_slope.sum_dim(1).squeeze_dim(1))
    }

    fn raw_knots(&self, identity: Tensor<2>) -> RawKnots {
        let knots = self.spline.split(self.net.forward(identity));
        RawKnots {
            widths: knots.widths.mul_scalar(self.scale),
            heights: knots.heights.mul_scalar(self.scale),
            derivatives: knots.derivatives,
        }
    }
}

impl Bijection for RqCoupling {
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        self.apply(x, |x, raw| self.spline.encode(x, raw))
    }

    fn decode(&self, u: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        self.apply(u, |u, raw| self.spline.decode(u, raw))
    }
}
