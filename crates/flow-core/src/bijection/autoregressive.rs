//! A masked autoregressive layer: each feature's spline is steered by the features before it.

use burn::{
    module::Module,
    tensor::{Tensor, TensorCreationOptions},
};
use rand::Rng;

use super::{Bijection, RqSpline};
use crate::{
    FlowConfig, FlowError, StateDict,
    nn::{Masks, ResidualNet},
};

/// Rational-quadratic autoregressive layer (Durkan et al. 2019; Papamakarios et al. 2017).
///
/// Unlike in the coupling, raw widths and heights are taken as the network gives them, as the
/// reference package does.
#[derive(Module, Debug)]
pub struct RqAutoregressive {
    net: ResidualNet,
    #[module(skip)]
    spline: RqSpline,
}

impl RqAutoregressive {
    pub(crate) fn init(
        config: &FlowConfig,
        rng: &mut impl Rng,
        options: &TensorCreationOptions,
    ) -> Self {
        Self::build(config, |shape, masks| {
            ResidualNet::init(shape, Some(masks), config, rng, options)
        })
    }

    pub(crate) fn import(
        prefix: &str,
        config: &FlowConfig,
        state: &mut StateDict,
        options: &TensorCreationOptions,
    ) -> Self {
        let net = format!("{prefix}.autoregressive_net");
        Self::build(config, |shape, masks| {
            ResidualNet::import(&net, shape, Some(masks), config, state, options)
        })
    }

    fn build(config: &FlowConfig, net: impl FnOnce([usize; 2], &Masks) -> ResidualNet) -> Self {
        let spline = RqSpline::new(config.bins, config.tail_bound);
        let (d, each) = (config.features, spline.raw_len());
        let masks = Masks::autoregressive(d, config.hidden, each);
        Self { net: net([d, d * each], &masks), spline }
    }

    pub(crate) fn export(&self, prefix: &str, state: &mut StateDict) -> Result<(), FlowError> {
        self.net.export(&format!("{prefix}.autoregressive_net"), state)
    }
}

impl Bijection for RqAutoregressive {
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let raw = self.spline.split(self.net.forward(x.clone()));
        let (z, ln_slope) = self.spline.encode(x, raw);
        (z, ln_slope.sum_dim(1).squeeze_dim(1))
    }

    /// After pass `t` the first `t` features are right, so as many passes as features are needed.
    fn decode(&self, z: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let pass = |x: Tensor<2>| {
            let raw = self.spline.split(self.net.forward(x));
            self.spline.decode(z.clone(), raw)
        };
        let mut image = pass(z.zeros_like());
        for _ in 1..z.dims()[1] {
            image = pass(image.0);
        }
        (image.0, image.1.sum_dim(1).squeeze_dim(1))
    }
}
