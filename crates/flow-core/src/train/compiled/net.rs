//! The residual network: forwards with what the way back needs, and back.

use rand::{Rng, RngExt};

use super::{
    batch::{Batch, add, flat, total},
    factor::Factor,
    norm::{Statistics, add_to, relu, relu_backward},
    product::{product, product_of_batches},
    tensors::{Cursor, Tensors},
};

/// A fully connected layer: places of its tensors.
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

    /// The weight, `[inputs, outputs]`, with cut connections zero.
    fn weight<'a>(&self, tensors: &'a Tensors, room: &'a mut Vec<f32>) -> &'a [f32] {
        let weight = &tensors.values[self.weight];
        let Some(mask) = self.mask else { return weight };
        room.clear();
        room.extend(weight.iter().zip(&tensors.values[mask]).map(|(w, m)| w * m));
        room
    }

    /// `x`, `[n, inputs]`, through the layer, plus `addend` if there is one, into `y`.
    fn forward(
        &self,
        tensors: &Tensors,
        x: &Batch,
        addend: Option<&Batch>,
        y: &mut Batch,
        room: &mut Room,
    ) {
        let Room { factor, weight, .. } = room;
        factor.pack(self.weight(tensors, weight), self.outputs);
        product(x, factor, Some(&tensors.values[self.bias]), addend, y);
    }

    /// Derivatives by the parameters, and by `x` into `by_x`, from those by the result.
    fn backward(
        &self,
        tensors: &mut Tensors,
        x: &Batch,
        by: &Batch,
        by_x: &mut Batch,
        room: &mut Room,
    ) {
        let Room { factor, weight, .. } = room;
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

/// Batch normalisation: places of its tensors.
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

/// A residual network: places of its tensors.
#[derive(Clone, Debug)]
pub(super) struct Net {
    first: Dense,
    blocks: [Block; 2],
    last: Dense,
}

/// What a pass leaves for the way back.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    /// What went in, `[n, inputs]`.
    pub(super) input: Batch,
    /// Hidden units before each block and behind the last.
    hidden: [Batch; 3],
    blocks: [BlockTape; 2],
    /// What came out, `[n, outputs]`.
    pub(super) output: Batch,
}

#[derive(Clone, Debug, Default)]
struct BlockTape {
    /// Between the two layers.
    inner: Batch,
    /// Behind each activation.
    behind: [Batch; 2],
    statistics: [Statistics; 2],
}

/// Room that layers share.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    factor: Factor,
    weight: Vec<f32>,
    pub(super) by: By,
}

/// Derivatives of the loss by what a network computes.
#[derive(Clone, Debug, Default)]
pub(super) struct By {
    /// By what came out.
    pub(super) output: Batch,
    /// By hidden units between blocks.
    hidden: Batch,
    /// By what goes into a block's second layer, and then by what came out of its first.
    inner: Batch,
    /// By what goes into a block's first layer.
    outer: Batch,
    /// By what went in.
    pub(super) input: Batch,
}

impl Net {
    /// A network whose tensors come next.
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

    /// Sends `tape.input` through; `dropout` is the share of units to drop with the generator of the
    /// step.
    pub(super) fn forward(
        &self,
        tensors: &mut Tensors,
        tape: &mut Tape,
        dropout: f64,
        rng: &mut impl Rng,
        room: &mut Room,
    ) {
        let Tape { input, hidden, blocks, output } = tape;
        self.first.forward(tensors, input, None, &mut hidden[0], room);
        for (b, (block, tape)) in self.blocks.iter().zip(blocks).enumerate() {
            let BlockTape { inner, behind, statistics } = tape;
            let (before, after) = hidden.split_at_mut(b + 1);
            let before = &before[b];
            block.activate(0, tensors, before, &mut behind[0], &mut statistics[0]);
            block.linears[0].forward(tensors, &behind[0], None, inner, room);
            block.activate(1, tensors, inner, &mut behind[1], &mut statistics[1]);
            if dropout > 0.0 {
                drop_units(&mut behind[1], dropout, rng);
            }
            block.linears[1].forward(tensors, &behind[1], Some(before), &mut after[0], room);
        }
        self.last.forward(tensors, &hidden[2], None, output, room);
    }

    /// Derivatives by the parameters, and by the input into `room.by.input`, from those by the output,
    /// `room.by.output`.
    pub(super) fn backward(
        &self,
        tensors: &mut Tensors,
        tape: &Tape,
        dropout: f64,
        room: &mut Room,
    ) {
        let mut taken = std::mem::take(&mut room.by);
        let By { output, hidden, inner, outer, input } = &mut taken;
        let kept = kept(dropout);
        self.last.backward(tensors, &tape.hidden[2], output, hidden, room);
        for (b, block) in self.blocks.iter().enumerate().rev() {
            let BlockTape { inner: between, behind, statistics } = &tape.blocks[b];
            let before = &tape.hidden[b];
            block.linears[1].backward(tensors, &behind[1], hidden, inner, room);
            let [first, second] = statistics;
            block.activate_backward(1, tensors, [between, &behind[1]], second, kept, inner, None);
            block.linears[0].backward(tensors, &behind[0], inner, outer, room);
            let sum = Some(&mut *hidden);
            block.activate_backward(0, tensors, [before, &behind[0]], first, 1.0, outer, sum);
        }
        self.first.backward(tensors, &tape.input, hidden, input, room);
        room.by = taken;
    }
}

/// What dropout multiplies the units with that it keeps.
fn kept(dropout: f64) -> f32 {
    (1.0 / (1.0 - dropout)) as f32
}

/// Drops units with probability `dropout`, and makes up for them with the others.
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

    /// Derivatives by `x` from those by its image `y`, in their place, or added to `sum`.
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
