//! The conditioner with its derivatives.

use rand::{Rng, RngExt};

use crate::cpu::training::{
    batch::{Batch, add, flat, total},
    factor::Factor,
    norm::{Statistics, add_to, relu, relu_backward},
    product::product,
    product_of_batches::product_of_batches,
    tensors::{Cursor, Tensors},
};

/// A fully connected layer: indices of its tensors.
#[derive(Clone, Debug)]
struct Dense {
    weight: usize,
    bias: usize,
    mask: Option<usize>,
    outputs: usize,
}

impl Dense {
    fn new(cursor: &mut Cursor, outputs: usize, masked: bool) -> Self {
        let (weight, bias) = (cursor.trained(), cursor.trained());
        Self { weight, bias, mask: masked.then(|| cursor.fixed()), outputs }
    }

    /// The weight, `[inputs, outputs]`, with zeros for removed connections.
    fn weight<'a>(&self, tensors: &'a Tensors, memory: &'a mut Vec<f32>) -> &'a [f32] {
        let weight = &tensors.values[self.weight];
        let Some(mask) = self.mask else { return weight };
        memory.clear();
        memory.extend(weight.iter().zip(&tensors.values[mask]).map(|(w, m)| w * m));
        memory
    }

    /// Writes the outputs for `x`, `[n, inputs]`, plus `addend` if given, to `y`.
    fn forward(
        &self,
        tensors: &Tensors,
        x: &Batch,
        addend: Option<&Batch>,
        y: &mut Batch,
        memory: &mut Memory,
    ) {
        let Memory { factor, weight, .. } = memory;
        factor.pack(self.weight(tensors, weight), self.outputs);
        product(x, factor, Some(&tensors.values[self.bias]), addend, y);
    }

    /// Derivatives with respect to the parameters, and to `x` in `by_x`, from those with respect to the
    /// outputs, `by`.
    fn backward(
        &self,
        tensors: &mut Tensors,
        x: &Batch,
        by: &Batch,
        by_x: &mut Batch,
        memory: &mut Memory,
    ) {
        let Memory { factor, weight, .. } = memory;
        tensors.grads[self.bias] = column_sums(by);
        let grad = &mut tensors.grads[self.weight];
        product_of_batches(x, by, grad);
        if let Some(mask) = self.mask {
            grad.iter_mut().zip(&tensors.values[mask]).for_each(|(g, m)| *g *= m);
        }
        factor.pack_transposed(self.weight(tensors, weight), self.outputs);
        product(by, factor, None, None, by_x);
    }
}

/// Sums of the columns of a batch.
fn column_sums(x: &Batch) -> Vec<f32> {
    let parts = x.parts(
        x.panels(),
        #[inline(always)]
        |b, part| {
            for (p, sum) in part.iter_mut().enumerate() {
                for row in x.panel(b, p) {
                    add(sum, row);
                }
            }
        },
    );
    flat(&total(parts, x.panels()), x.cols())
}

/// Batch normalisation: indices of its tensors.
#[derive(Clone, Debug)]
struct Norm {
    gamma: usize,
    beta: usize,
    mean: usize,
    variance: usize,
}

#[derive(Clone, Debug)]
struct Block {
    norms: Option<[Norm; 2]>,
    linears: [Dense; 2],
}

/// A residual network: indices of its tensors.
#[derive(Clone, Debug)]
pub(super) struct Net {
    first: Dense,
    blocks: [Block; 2],
    last: Dense,
}

/// Results of the forward pass that the backward pass needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    /// Inputs, `[n, inputs]`.
    pub(super) input: Batch,
    /// Hidden units before each block and after the last.
    hidden: [Batch; 3],
    blocks: [BlockTape; 2],
    /// Outputs, `[n, outputs]`.
    pub(super) output: Batch,
}

#[derive(Clone, Debug, Default)]
struct BlockTape {
    /// Outputs of the first layer.
    inner: Batch,
    /// Outputs of each activation.
    activated: [Batch; 2],
    statistics: [Statistics; 2],
}

/// Memory that layers share.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    factor: Factor,
    weight: Vec<f32>,
    pub(super) by: By,
}

/// Derivatives of the loss with respect to results of a network.
#[derive(Clone, Debug, Default)]
pub(super) struct By {
    /// Outputs.
    pub(super) output: Batch,
    /// Hidden units between blocks.
    hidden: Batch,
    /// Inputs of the second layer of a block, then outputs of its first layer.
    inner: Batch,
    /// Inputs of the first layer of a block.
    outer: Batch,
    /// Inputs.
    pub(super) input: Batch,
}

impl Net {
    /// A network with the next tensors of `cursor`.
    pub(super) fn new(
        cursor: &mut Cursor,
        [hidden, outputs]: [usize; 2],
        batch_norm: bool,
        masked: bool,
    ) -> Self {
        let first = Dense::new(cursor, hidden, masked);
        let blocks = [(); 2].map(|()| Block {
            norms: batch_norm.then(|| {
                [(); 2].map(|()| Norm {
                    gamma: cursor.trained(),
                    beta: cursor.trained(),
                    mean: cursor.fixed(),
                    variance: cursor.fixed(),
                })
            }),
            linears: [(); 2].map(|()| Dense::new(cursor, hidden, masked)),
        });
        Self { first, blocks, last: Dense::new(cursor, outputs, masked) }
    }

    /// Computes `tape.output` from `tape.input`. `rng` draws which units are dropped, a share of `dropout`.
    pub(super) fn forward(
        &self,
        tensors: &mut Tensors,
        tape: &mut Tape,
        dropout: f64,
        rng: &mut impl Rng,
        memory: &mut Memory,
    ) {
        let Tape { input, hidden, blocks, output } = tape;
        self.first.forward(tensors, input, None, &mut hidden[0], memory);
        for (b, (block, tape)) in self.blocks.iter().zip(blocks).enumerate() {
            let BlockTape { inner, activated, statistics } = tape;
            let (before, after) = hidden.split_at_mut(b + 1);
            let before = &before[b];
            block.activate(0, tensors, before, &mut activated[0], &mut statistics[0]);
            block.linears[0].forward(tensors, &activated[0], None, inner, memory);
            block.activate(1, tensors, inner, &mut activated[1], &mut statistics[1]);
            if dropout > 0.0 {
                drop_units(&mut activated[1], dropout, rng);
            }
            block.linears[1].forward(tensors, &activated[1], Some(before), &mut after[0], memory);
        }
        self.last.forward(tensors, &hidden[2], None, output, memory);
    }

    /// Derivatives with respect to the parameters, and to the inputs in `memory.by.input`, from those with
    /// respect to the outputs, `memory.by.output`.
    pub(super) fn backward(
        &self,
        tensors: &mut Tensors,
        tape: &Tape,
        dropout: f64,
        memory: &mut Memory,
    ) {
        let mut taken = std::mem::take(&mut memory.by);
        let By { output, hidden, inner, outer, input } = &mut taken;
        let kept = kept(dropout);
        self.last.backward(tensors, &tape.hidden[2], output, hidden, memory);
        for (b, block) in self.blocks.iter().enumerate().rev() {
            let BlockTape { inner: between, activated, statistics } = &tape.blocks[b];
            let before = &tape.hidden[b];
            block.linears[1].backward(tensors, &activated[1], hidden, inner, memory);
            let [first, second] = statistics;
            block.activate_backward(
                1,
                tensors,
                [between, &activated[1]],
                second,
                kept,
                inner,
                None,
            );
            block.linears[0].backward(tensors, &activated[0], inner, outer, memory);
            let sum = Some(&mut *hidden);
            block.activate_backward(0, tensors, [before, &activated[0]], first, 1.0, outer, sum);
        }
        self.first.backward(tensors, &tape.input, hidden, input, memory);
        memory.by = taken;
    }
}

/// The factor of the units that dropout keeps.
fn kept(dropout: f64) -> f32 {
    (1.0 / (1.0 - dropout)) as f32
}

/// Drops units with probability `dropout` and scales the others.
fn drop_units(x: &mut Batch, dropout: f64, rng: &mut impl Rng) {
    let kept = kept(dropout);
    for r in 0..x.rows() {
        for p in 0..x.panels() {
            for v in x.part_mut(r, p) {
                *v *= if rng.random::<f64>() < dropout { 0.0 } else { kept };
            }
        }
    }
}

impl Block {
    fn activate(
        &self,
        i: usize,
        tensors: &mut Tensors,
        x: &Batch,
        y: &mut Batch,
        statistics: &mut Statistics,
    ) {
        let Some(Norm { gamma, beta, mean, variance }) = self.norms.as_ref().map(|n| &n[i]) else {
            return relu(x, y);
        };
        *statistics = Statistics::of(x);
        statistics.activate(&tensors.values[*gamma], &tensors.values[*beta], x, y);
        let [running_mean, running_variance] =
            tensors.values.get_disjoint_mut([*mean, *variance]).expect("two tensors of the flow");
        statistics.blend(x.rows(), running_mean, running_variance);
    }

    /// Derivatives with respect to `x` from those with respect to the activated `y`. They replace `by`, or
    /// are added to `sum`.
    #[expect(clippy::too_many_arguments, reason = "a struct would only rename them")]
    fn activate_backward(
        &self,
        i: usize,
        tensors: &mut Tensors,
        [x, y]: [&Batch; 2],
        statistics: &Statistics,
        kept: f32,
        by: &mut Batch,
        sum: Option<&mut Batch>,
    ) {
        if let Some(Norm { gamma, beta, .. }) = self.norms.as_ref().map(|n| &n[i]) {
            let [by_gamma, by_beta] =
                statistics.backward(&tensors.values[*gamma], [x, y], kept, by, sum);
            tensors.grads[*gamma] = by_gamma;
            tensors.grads[*beta] = by_beta;
        } else {
            relu_backward(y, kept, by);
            if let Some(sum) = sum {
                add_to(sum, by);
            }
        }
    }
}
