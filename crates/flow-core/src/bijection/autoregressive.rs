//! A masked autoregressive layer: the spline of each feature is conditioned on the features before it.

use burn::{
    module::Module,
    tensor::{Tensor, TensorCreationOptions},
};
use rand::Rng;

use crate::{
    bijection::{map::Bijection, rq_spline::RqSpline},
    config::FlowConfig,
    error::FlowError,
    nn::{masks::Masks, residual::ResidualNet},
    state_dict::StateDict,
};

/// Rational-quadratic autoregressive layer (Durkan et al. 2019; Papamakarios et al. 2017).
///
/// As in the reference package, raw widths and heights are used as the conditioner returns them; only
/// [`RqCoupling`](crate::bijection::RqCoupling) scales them.
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
        let spline = RqSpline::new(config.bins(), config.tail_bound());
        Self::build(config, |shape, masks| {
            let start = spline.identity(config.features());
            ResidualNet::init(shape, &start, Some(masks), config, rng, options)
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
        let spline = RqSpline::new(config.bins(), config.tail_bound());
        let (d, each) = (config.features(), spline.raw_len());
        let masks = Masks::autoregressive(d, config.hidden(), each);
        Self { net: net([d, d * each], &masks), spline }
    }

    pub(crate) fn export(&self, prefix: &str, state: &mut StateDict) -> Result<(), FlowError> {
        self.net.export(&format!("{prefix}.autoregressive_net"), state)
    }
}

impl Bijection for RqAutoregressive {
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let raw = self.spline.split(self.net.forward(x.clone()));
        let (u, ln_slope) = self.spline.encode(x, raw);
        (u, ln_slope.sum_dim(1).squeeze_dim(1))
    }

    /// After pass `t` the first `t` features have their final values, so `d` passes are needed.
    fn decode(&self, u: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let pass = |x: Tensor<2>| {
            let raw = self.spline.split(self.net.forward(x));
            self.spline.decode(u.clone(), raw)
        };
        let mut mapped = pass(u.zeros_like());
        for _ in 1..u.dims()[1] {
            mapped = pass(mapped.0);
        }
        (mapped.0, mapped.1.sum_dim(1).squeeze_dim(1))
    }
}
