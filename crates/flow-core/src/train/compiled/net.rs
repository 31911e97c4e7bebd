//! The residual network: forwards with what the way back needs, and back.

use rand::{Rng, RngExt};

use super::{
    norm::{Statistics, relu, relu_backward},
    product::{Into, Packs, View},
    rows::column_sums,
    tensors::{Cursor, Tensors},
};

/// A fully connected layer: places of its tensors.
#[derive(Clone, Debug)]
struct Dense {
    weight: usize,
    bias: usize,
    mask: Option<usize>,
    inputs: usize,
    outputs: usize,
}

impl Dense {
    fn new(cursor: &mut Cursor, inputs: usize, outputs: usize, masked: bool) -> Self {
        let (weight, bias) = (cursor.trained(), cursor.trained());
        Self { weight, bias, mask: masked.then(|| cursor.fixed()), inputs, outputs }
    }

    /// The weight, `[inputs, outputs]`, with cut connections zero.
    fn weight<'a>(&self, tensors: &'a Tensors, room: &'a mut Vec<f32>) -> &'a [f32] {
        let weight = &tensors.values[self.weight];
        let Some(mask) = self.mask else { return weight };
        room.clear();
        room.extend(weight.iter().zip(&tensors.values[mask]).map(|(w, m)| w * m));
        room
    }

    /// `x`, `[n, inputs]`, through the layer; with `add` the result is added to what is in `y`.
    fn forward(&self, tensors: &Tensors, x: &[f32], y: &mut [f32], add: bool, room: &mut Room) {
        let Room { packs, weight, .. } = room;
        let weight = View::rows(self.weight(tensors, weight), self.outputs);
        let bias = &tensors.values[self.bias];
        let shape = [y.len() / self.outputs, self.inputs, self.outputs];
        let into = if add { Into::Sum(bias) } else { Into::Biased(bias) };
        packs.product(shape, View::rows(x, self.inputs), weight, y, into);
    }

    /// Derivatives by the parameters, and by `x` into `by_x`, from those by the result.
    fn backward(
        &self,
        tensors: &mut Tensors,
        x: &[f32],
        by: &[f32],
        by_x: &mut [f32],
        room: &mut Room,
    ) {
        let (n, inputs, outputs) = (by.len() / self.outputs, self.inputs, self.outputs);
        let Room { packs, weight, .. } = room;
        tensors.grads[self.bias] = column_sums(by, outputs);
        let grad = &mut tensors.grads[self.weight];
        let (left, right) = (View::rows(x, inputs).transposed(), View::rows(by, outputs));
        packs.product([inputs, n, outputs], left, right, grad, Into::Place);
        if let Some(mask) = self.mask {
            grad.iter_mut().zip(&tensors.values[mask]).for_each(|(g, m)| *g *= m);
        }
        let weight = View::rows(self.weight(tensors, weight), outputs).transposed();
        packs.product([n, outputs, inputs], View::rows(by, outputs), weight, by_x, Into::Place);
    }
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
    pub(super) input: Vec<f32>,
    blocks: [BlockTape; 2],
    /// Hidden units before the last layer.
    hidden: Vec<f32>,
    /// What came out, `[n, outputs]`.
    pub(super) output: Vec<f32>,
}

#[derive(Clone, Debug, Default)]
struct BlockTape {
    /// Before and behind each activation.
    before: [Vec<f32>; 2],
    behind: [Vec<f32>; 2],
    statistics: [Statistics; 2],
}

/// Room that layers share.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    packs: Packs,
    weight: Vec<f32>,
    /// Derivatives by hidden units.
    by: [Vec<f32>; 3],
    /// Derivatives by what the network supplies.
    pub(super) by_output: Vec<f32>,
}

impl Net {
    /// A network whose tensors come next.
    pub(super) fn new(
        cursor: &mut Cursor,
        [inputs, hidden, outputs]: [usize; 3],
        batch_norm: bool,
        masked: bool,
    ) -> Self {
        let first = Dense::new(cursor, inputs, hidden, masked);
        let blocks = [(); 2].map(|()| Block {
            norms: batch_norm.then(|| {
                [(); 2].map(|()| Norm {
                    gamma: cursor.trained(),
                    beta: cursor.trained(),
                    mean: cursor.fixed(),
                    variance: cursor.fixed(),
                })
            }),
            linears: [(); 2].map(|()| Dense::new(cursor, hidden, hidden, masked)),
        });
        Self { first, blocks, last: Dense::new(cursor, hidden, outputs, masked) }
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
        let n = tape.input.len() / self.first.inputs;
        let units = self.first.outputs;
        tape.hidden.resize(n * units, 0.0);
        self.first.forward(tensors, &tape.input, &mut tape.hidden, false, room);
        for (block, tape_block) in self.blocks.iter().zip(&mut tape.blocks) {
            let BlockTape { before, behind, statistics } = tape_block;
            before.iter_mut().chain(behind.iter_mut()).for_each(|v| v.resize(n * units, 0.0));
            let [before0, before1] = before;
            before0.copy_from_slice(&tape.hidden);
            block.activate(0, tensors, before0, &mut behind[0], &mut statistics[0]);
            block.linears[0].forward(tensors, &behind[0], before1, false, room);
            block.activate(1, tensors, before1, &mut behind[1], &mut statistics[1]);
            if dropout > 0.0 {
                let scale = (1.0 / (1.0 - dropout)) as f32;
                for v in &mut behind[1] {
                    *v *= if rng.random::<f64>() < dropout { 0.0 } else { scale };
                }
            }
            block.linears[1].forward(tensors, &behind[1], &mut tape.hidden, true, room);
        }
        tape.output.resize(n * self.last.outputs, 0.0);
        self.last.forward(tensors, &tape.hidden, &mut tape.output, false, room);
    }

    /// Derivatives by the parameters, and by the input, `[n, inputs]`, from those by the output.
    pub(super) fn backward(
        &self,
        tensors: &mut Tensors,
        tape: &Tape,
        by: &[f32],
        dropout: f64,
        room: &mut Room,
    ) -> Vec<f32> {
        let mut buffers = std::mem::take(&mut room.by);
        for by in &mut buffers {
            by.resize(tape.hidden.len(), 0.0);
        }
        let [by_hidden, by_inner, by_outer] = &mut buffers;
        self.last.backward(tensors, &tape.hidden, by, by_hidden, room);
        for (block, tape) in self.blocks.iter().zip(&tape.blocks).rev() {
            let BlockTape { before, behind, statistics } = tape;
            block.linears[1].backward(tensors, &behind[1], by_hidden, by_inner, room);
            relu_backward(&behind[1], (1.0 / (1.0 - dropout)) as f32, by_inner);
            block.normalise_backward(1, tensors, &before[1], &statistics[1], by_inner);
            block.linears[0].backward(tensors, &behind[0], by_inner, by_outer, room);
            relu_backward(&behind[0], 1.0, by_outer);
            block.normalise_backward(0, tensors, &before[0], &statistics[0], by_outer);
            by_hidden.iter_mut().zip(by_outer.iter()).for_each(|(sum, by)| *sum += by);
        }
        let mut by_input = vec![0.0; tape.input.len()];
        self.first.backward(tensors, &tape.input, by_hidden, &mut by_input, room);
        room.by = buffers;
        by_input
    }
}

impl Block {
    fn activate(
        &self,
        i: usize,
        tensors: &mut Tensors,
        x: &[f32],
        y: &mut [f32],
        statistics: &mut Statistics,
    ) {
        let Some(Norm { gamma, beta, mean, variance }) = self.norms.as_ref().map(|n| &n[i]) else {
            return relu(x, y);
        };
        let units = tensors.values[*gamma].len();
        *statistics = Statistics::of(x, units);
        statistics.activate(&tensors.values[*gamma], &tensors.values[*beta], x, y);
        let [running_mean, running_variance] =
            tensors.values.get_disjoint_mut([*mean, *variance]).expect("two tensors of the flow");
        statistics.blend(x.len() / units, running_mean, running_variance);
    }

    fn normalise_backward(
        &self,
        i: usize,
        tensors: &mut Tensors,
        x: &[f32],
        statistics: &Statistics,
        by: &mut [f32],
    ) {
        if let Some(Norm { gamma, beta, .. }) = self.norms.as_ref().map(|n| &n[i]) {
            let [by_gamma, by_beta] = statistics.backward(&tensors.values[*gamma], x, by);
            tensors.grads[*gamma] = by_gamma;
            tensors.grads[*beta] = by_beta;
        }
    }
}
