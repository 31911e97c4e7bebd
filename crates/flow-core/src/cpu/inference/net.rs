//! The conditioner, with batch normalisation as scales and shifts.

use pulp::Simd;

use crate::{
    config::FlowConfig,
    cpu::{
        inference::{
            matrix::{Matrix, Then},
            weights::Weights,
        },
        kernel::WIDTH,
    },
};

/// A residual network with packed weights.
#[derive(Clone, Debug)]
pub(super) struct Net {
    first: Matrix,
    blocks: Vec<Block>,
    last: Matrix,
    hidden: usize,
}

#[derive(Clone, Debug)]
struct Block {
    /// Batch normalisation before the first layer, as scale and shift of each unit.
    norm: Option<(Vec<f32>, Vec<f32>)>,
    /// The first layer, with the normalisation after it.
    inner: Matrix,
    outer: Matrix,
}

/// Memory for the intermediate results of a tile.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    hidden: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Net {
    /// The network under `prefix`; `scale` multiplies rows of the last layer.
    pub(super) fn new(
        weights: &Weights<'_>,
        prefix: &str,
        config: &FlowConfig,
        scale: impl Fn(usize) -> f64,
    ) -> Self {
        let (first, bias) = weights.linear(&format!("{prefix}.initial_layer"));
        let (mut last, mut last_bias) = weights.linear(&format!("{prefix}.final_layer"));
        for (o, bias) in last_bias.iter_mut().enumerate() {
            *bias *= scale(o);
            last[o * config.hidden()..][..config.hidden()].iter_mut().for_each(|w| *w *= scale(o));
        }
        let block = |b: usize| {
            let norm = |i: usize| {
                let name = format!("{prefix}.blocks.{b}.batch_norm_layers.{i}");
                config.batch_norm().then(|| weights.batch_norm(&name))
            };
            let linear =
                |i: usize| weights.linear(&format!("{prefix}.blocks.{b}.linear_layers.{i}"));
            let (mut inner, mut bias) = linear(0);
            if let Some((scale, shift)) = norm(1) {
                for (o, (scale, shift)) in scale.iter().zip(&shift).enumerate() {
                    inner[o * config.hidden()..][..config.hidden()]
                        .iter_mut()
                        .for_each(|w| *w *= scale);
                    bias[o] = bias[o] * scale + shift;
                }
            }
            let single = |v: Vec<f64>| v.into_iter().map(|v| v as f32).collect();
            let (outer, outer_bias) = linear(1);
            Block {
                norm: norm(0).map(|(scale, shift)| (single(scale), single(shift))),
                inner: Matrix::new(&inner, &bias),
                outer: Matrix::new(&outer, &outer_bias),
            }
        };
        Self {
            first: Matrix::new(&first, &bias),
            blocks: (0..weights.blocks(prefix)).map(block).collect(),
            last: Matrix::new(&last, &last_bias),
            hidden: config.hidden(),
        }
    }

    /// Rows of a panel of results.
    pub(super) fn outputs(&self) -> usize {
        self.last.padded()
    }

    /// Runs the network on panels of `x`, each of `x_len` numbers; `y` has `outputs()` rows per
    /// panel.
    #[inline(always)]
    pub(super) fn apply<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        x_len: usize,
        y: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let panels = x.len() / x_len;
        let len = self.first.padded() * WIDTH;
        let Scratch { hidden, first, second } = scratch;
        for buffer in [&mut *hidden, &mut *first, &mut *second] {
            buffer.resize(panels * len, 0.0);
        }
        self.first.apply(simd, x, x_len, hidden, len, Then::Store);
        for block in &self.blocks {
            for (h, t) in hidden.chunks_exact(len).zip(first.chunks_exact_mut(len)) {
                block.activate(self.hidden, h, t);
            }
            block.inner.apply(simd, first, len, second, len, Then::Relu);
            block.outer.apply(simd, second, len, hidden, len, Then::Add);
        }
        self.last.apply(simd, hidden, len, y, self.outputs() * WIDTH, Then::Store);
    }
}

impl Block {
    /// $\max(s h + c, 0)$ for each unit of a panel.
    #[inline(always)]
    fn activate(&self, units: usize, h: &[f32], t: &mut [f32]) {
        let rows = h.chunks_exact(WIDTH).zip(t.chunks_exact_mut(WIDTH)).take(units);
        match &self.norm {
            Some((scale, shift)) => {
                for ((h, t), (s, c)) in rows.zip(scale.iter().zip(shift)) {
                    t.iter_mut().zip(h).for_each(|(t, h)| *t = (s * h + c).max(0.0));
                }
            }
            None => {
                for (h, t) in rows {
                    t.iter_mut().zip(h).for_each(|(t, h)| *t = h.max(0.0));
                }
            }
        }
    }
}
