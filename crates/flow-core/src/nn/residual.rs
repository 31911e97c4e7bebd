//! The conditioner of a spline layer: a pre-activation residual network.

use burn::{
    module::Module,
    nn::{Dropout, DropoutConfig},
    tensor::{Tensor, TensorCreationOptions, activation::relu},
};
use rand::Rng;

use crate::{
    config::FlowConfig,
    error::FlowError,
    nn::{batch_norm::BatchNorm, linear::Linear, masks::Masks},
    state_dict::StateDict,
};

/// Residual blocks of every network.
pub(crate) const BLOCKS: usize = 2;
/// Initial bound of the last layer of a block, so that a block starts near the identity.
const SMALL: f64 = 1e-3;

/// A residual network with two blocks of two layers (He et al., *Identity mappings in deep residual
/// networks*, ECCV 2016).
#[derive(Module, Debug)]
pub struct ResidualNet {
    first: Linear,
    blocks: Vec<Block>,
    last: Linear,
}

#[derive(Module, Debug)]
struct Block {
    norms: Vec<BatchNorm>,
    linears: Vec<Linear>,
    dropout: Dropout,
}

impl ResidualNet {
    /// With `masks` the network is autoregressive. Its outputs begin near `start`, `[outputs]`, for all inputs.
    pub(crate) fn init(
        [inputs, outputs]: [usize; 2],
        start: &[f64],
        masks: Option<&Masks>,
        config: &FlowConfig,
        rng: &mut impl Rng,
        options: &TensorCreationOptions,
    ) -> Self {
        let hidden = config.hidden();
        let first = [inputs, hidden];
        let first = Linear::init(first, None, None, masks.map(|m| &m.first), rng, options);
        let inner = masks.map(|m| &m.hidden);
        let blocks = (0..BLOCKS)
            .map(|_| Block {
                norms: norms(config, |_| BatchNorm::init(hidden, options)),
                linears: [None, Some(SMALL)]
                    .map(|bound| Linear::init([hidden, hidden], bound, None, inner, rng, options))
                    .into(),
                dropout: DropoutConfig::new(config.dropout()).init(),
            })
            .collect();
        let last = [hidden, outputs];
        let mask = masks.map(|m| &m.last);
        let last = Linear::init(last, Some(SMALL), Some(start), mask, rng, options);
        Self { first, blocks, last }
    }

    /// # Shapes
    /// - `x`: `[n, inputs]`; returns `[n, outputs]`
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = self.blocks.iter().fold(self.first.forward(x), |h, block| block.forward(h));
        self.last.forward(hidden)
    }

    pub(crate) fn export(&self, prefix: &str, state: &mut StateDict) -> Result<(), FlowError> {
        self.first.export(&format!("{prefix}.initial_layer"), state)?;
        for (b, block) in self.blocks.iter().enumerate() {
            for (i, linear) in block.linears.iter().enumerate() {
                linear.export(&format!("{prefix}.blocks.{b}.linear_layers.{i}"), state)?;
            }
            for (i, norm) in block.norms.iter().enumerate() {
                norm.export(&format!("{prefix}.blocks.{b}.batch_norm_layers.{i}"), state)?;
            }
        }
        self.last.export(&format!("{prefix}.final_layer"), state)
    }

    pub(crate) fn import(
        prefix: &str,
        [inputs, outputs]: [usize; 2],
        masks: Option<&Masks>,
        config: &FlowConfig,
        state: &mut StateDict,
        options: &TensorCreationOptions,
    ) -> Self {
        let hidden = config.hidden();
        let mut linear = |name: String, shape, mask| {
            Linear::import(&format!("{prefix}.{name}"), shape, mask, state, options)
        };
        let first = linear("initial_layer".into(), [inputs, hidden], masks.map(|m| &m.first));
        let last = linear("final_layer".into(), [hidden, outputs], masks.map(|m| &m.last));
        let inner = masks.map(|m| &m.hidden);
        let linears: Vec<Vec<Linear>> = (0..BLOCKS)
            .map(|b| {
                (0..2)
                    .map(|i| {
                        let name = format!("blocks.{b}.linear_layers.{i}");
                        linear(name, [hidden, hidden], inner)
                    })
                    .collect()
            })
            .collect();
        let blocks = linears
            .into_iter()
            .enumerate()
            .map(|(b, linears)| Block {
                norms: norms(config, |i| {
                    let name = format!("{prefix}.blocks.{b}.batch_norm_layers.{i}");
                    BatchNorm::import(&name, hidden, state, options)
                }),
                linears,
                dropout: DropoutConfig::new(config.dropout()).init(),
            })
            .collect();
        Self { first, blocks, last }
    }
}

/// The two normalisations of a block, or none.
fn norms(config: &FlowConfig, make: impl FnMut(usize) -> BatchNorm) -> Vec<BatchNorm> {
    if config.batch_norm() { (0..2).map(make).collect() } else { Vec::new() }
}

impl Block {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let h = self.linears[0].forward(relu(self.normalise(0, x.clone())));
        let h = self.dropout.forward(relu(self.normalise(1, h)));
        x + self.linears[1].forward(h)
    }

    fn normalise(&self, i: usize, x: Tensor<2>) -> Tensor<2> {
        match self.norms.get(i) {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }
}
