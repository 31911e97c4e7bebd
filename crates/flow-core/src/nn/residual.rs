//! The pre-activation residual network inside each coupling.

use burn::{
    module::Module,
    nn::{Dropout, DropoutConfig},
    tensor::{Tensor, TensorCreationOptions, activation::relu},
};
use rand::Rng;

use super::{BatchNorm, Linear};
use crate::{FlowConfig, FlowError, StateDict};

/// Residual blocks in every network.
const BLOCKS: usize = 2;
/// Bound of the last layer of a block at the start, so that a block begins near the identity.
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
    pub(crate) fn init(
        inputs: usize,
        outputs: usize,
        config: &FlowConfig,
        rng: &mut impl Rng,
        options: &TensorCreationOptions,
    ) -> Self {
        let hidden = config.hidden;
        let first = Linear::init(inputs, hidden, None, rng, options);
        let blocks = (0..BLOCKS)
            .map(|_| Block {
                norms: norms(config, |_| BatchNorm::init(hidden, options)),
                linears: [None, Some(SMALL)]
                    .map(|bound| Linear::init(hidden, hidden, bound, rng, options))
                    .into(),
                dropout: DropoutConfig::new(config.dropout).init(),
            })
            .collect();
        Self { first, blocks, last: Linear::init(hidden, outputs, None, rng, options) }
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
        config: &FlowConfig,
        state: &mut StateDict,
        options: &TensorCreationOptions,
    ) -> Self {
        let hidden = config.hidden;
        let mut linear = |name: String, shape| {
            Linear::import(&format!("{prefix}.{name}"), shape, state, options)
        };
        let first = linear("initial_layer".into(), [inputs, hidden]);
        let last = linear("final_layer".into(), [hidden, outputs]);
        let linears: Vec<Vec<Linear>> = (0..BLOCKS)
            .map(|b| {
                (0..2)
                    .map(|i| linear(format!("blocks.{b}.linear_layers.{i}"), [hidden, hidden]))
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
                dropout: DropoutConfig::new(config.dropout).init(),
            })
            .collect();
        Self { first, blocks, last }
    }
}

/// The two normalisations of a block, or none.
fn norms(config: &FlowConfig, make: impl FnMut(usize) -> BatchNorm) -> Vec<BatchNorm> {
    if config.batch_norm { (0..2).map(make).collect() } else { Vec::new() }
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
