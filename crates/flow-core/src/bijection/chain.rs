//! A sequence of layers.

use burn::{
    module::Module,
    tensor::{Tensor, TensorCreationOptions},
};
use rand::Rng;

use crate::{
    bijection::{
        autoregressive::RqAutoregressive,
        coupling::RqCoupling,
        lu_linear::LuLinear,
        map::{Bijection, zero_ln_det},
        permutation::Permutation,
    },
    config::{FlowConfig, LinearKind, TransformKind},
    error::FlowError,
    state_dict::StateDict,
};

/// One layer of a [`Chain`].
#[derive(Module, Debug)]
enum Layer {
    Permutation(Permutation),
    LuLinear(LuLinear),
    RqCoupling(RqCoupling),
    RqAutoregressive(RqAutoregressive),
}

/// The layers of a flow in encoding order: the first acts on standardised outcomes.
#[derive(Module, Debug)]
pub struct Chain {
    layers: Vec<Layer>,
}

/// The layer at one place of the chain.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Reverse,
    Lu,
    Coupling { step: usize },
    Autoregressive,
}

/// The layers of a configuration: a linear part and a spline layer, repeated `steps` times, and one more
/// linear part.
pub(crate) fn layout(config: &FlowConfig) -> Vec<Kind> {
    let linear: &[Kind] = match config.linear() {
        LinearKind::Lu => &[Kind::Reverse, Kind::Lu],
        LinearKind::Permutation => &[Kind::Reverse],
    };
    let mut layers = Vec::new();
    for step in 0..config.steps() {
        layers.extend_from_slice(linear);
        layers.push(match config.transform() {
            TransformKind::Coupling => Kind::Coupling { step },
            TransformKind::Autoregressive => Kind::Autoregressive,
        });
    }
    layers.extend_from_slice(linear);
    layers
}

impl Chain {
    /// The chain of `config` with weights from `rng`.
    pub(crate) fn init(
        config: &FlowConfig,
        rng: &mut impl Rng,
        options: &TensorCreationOptions,
    ) -> Self {
        let layer = |kind| match kind {
            Kind::Reverse => Layer::Permutation(Permutation::reverse(config.features())),
            Kind::Lu => Layer::LuLinear(LuLinear::identity(config.features(), options)),
            Kind::Coupling { step } => {
                Layer::RqCoupling(RqCoupling::init(step, config, rng, options))
            }
            Kind::Autoregressive => {
                Layer::RqAutoregressive(RqAutoregressive::init(config, rng, options))
            }
        };
        Self { layers: layout(config).into_iter().map(layer).collect() }
    }

    pub(crate) fn import(
        config: &FlowConfig,
        state: &mut StateDict,
        options: &TensorCreationOptions,
    ) -> Self {
        let layer = |(index, kind)| {
            let prefix = prefix(index);
            match kind {
                Kind::Reverse => {
                    let layer = Permutation::reverse(config.features());
                    state.expect_integers(&format!("{prefix}._permutation"), layer.order());
                    Layer::Permutation(layer)
                }
                Kind::Lu => {
                    Layer::LuLinear(LuLinear::import(&prefix, config.features(), state, options))
                }
                Kind::Coupling { step } => {
                    Layer::RqCoupling(RqCoupling::import(&prefix, step, config, state, options))
                }
                Kind::Autoregressive => Layer::RqAutoregressive(RqAutoregressive::import(
                    &prefix, config, state, options,
                )),
            }
        };
        Self { layers: layout(config).into_iter().enumerate().map(layer).collect() }
    }

    pub(crate) fn export(&self, state: &mut StateDict) -> Result<(), FlowError> {
        for (index, layer) in self.layers.iter().enumerate() {
            let prefix = prefix(index);
            match layer {
                Layer::Permutation(layer) => {
                    state.put_integers(format!("{prefix}._permutation"), layer.order());
                }
                Layer::LuLinear(layer) => layer.export(&prefix, state)?,
                Layer::RqCoupling(layer) => layer.export(&prefix, state)?,
                Layer::RqAutoregressive(layer) => layer.export(&prefix, state)?,
            }
        }
        Ok(())
    }

    /// Number of layers.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether the chain is the identity.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Indices of the spline layers.
    pub(crate) fn spline_layers(&self) -> impl Iterator<Item = usize> {
        let spline =
            |layer: &Layer| matches!(layer, Layer::RqCoupling(_) | Layer::RqAutoregressive(_));
        (0..self.layers.len()).filter(move |&k| spline(&self.layers[k]))
    }

    /// The layer at `index`, in encoding order.
    pub fn layer(&self, index: usize) -> Option<&dyn Bijection> {
        self.layers.get(index).map(Layer::as_bijection)
    }
}

/// Name of the layer at `index`, before the names of its tensors.
pub(crate) fn prefix(index: usize) -> String {
    format!("_transform._transforms.{index}")
}

impl Layer {
    fn as_bijection(&self) -> &dyn Bijection {
        match self {
            Self::Permutation(layer) => layer,
            Self::LuLinear(layer) => layer,
            Self::RqCoupling(layer) => layer,
            Self::RqAutoregressive(layer) => layer,
        }
    }
}

impl Bijection for Chain {
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let start = zero_ln_det(&x);
        self.layers.iter().fold((x, start), |(x, sum), layer| {
            let (u, ln_det) = layer.as_bijection().encode(x);
            (u, sum + ln_det)
        })
    }

    fn decode(&self, u: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let start = zero_ln_det(&u);
        self.layers.iter().rev().fold((u, start), |(u, sum), layer| {
            let (x, ln_det) = layer.as_bijection().decode(u);
            (x, sum + ln_det)
        })
    }
}
