//! The whole flow for training: its layers, the loss and a training step.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{
    base::LN_2PI,
    bijection::chain::{Kind, layout},
    config::{FlowConfig, TransformKind},
    cpu::{
        kernel::{WIDTH, vectorised},
        training::{
            batch::{BLOCK, gather, least, scatter},
            linear::Lu,
            net::{Memory, Net, Tape},
            spline::Spline,
            tensors::{Adam, Cursor, Tensors, Weights},
        },
    },
};

/// A flow in training.
#[derive(Clone, Debug)]
pub(crate) struct TrainingFlow {
    tensors: Tensors,
    adam: Adam,
    layers: Vec<Layer>,
    features: usize,
    dropout: f64,
    clip_norm: f64,
    memory: Memory,
}

#[derive(Clone, Debug)]
enum Layer {
    Reverse,
    Lu { lu: Lu, input: Vec<f32> },
    Spline(Box<SplineLayer>),
}

/// A spline layer with the intermediate results of its last pass.
#[derive(Clone, Debug)]
struct SplineLayer {
    net: Net,
    spline: Spline,
    /// Features that the splines are conditioned on.
    condition: Vec<usize>,
    /// Features that the splines transform.
    transformed: Vec<usize>,
    input: Vec<f32>,
    tape: Tape,
}

impl TrainingFlow {
    /// A flow with the given weights, which must be those of `config`.
    pub(crate) fn new(config: &FlowConfig, weights: Weights, clip_norm: f64) -> Self {
        let mut cursor = Cursor::default();
        let layers = layout(config)
            .into_iter()
            .map(|kind| match kind {
                Kind::Reverse => Layer::Reverse,
                Kind::Lu => Layer::Lu { lu: Lu::new(&mut cursor), input: Vec::new() },
                Kind::Coupling { step } => {
                    let (transformed, condition) = config.coupling_features(step);
                    let layer = SplineLayer::new(config, &mut cursor, condition, transformed);
                    Layer::Spline(Box::new(layer))
                }
                Kind::Autoregressive => {
                    let all: Vec<usize> = (0..config.features()).collect();
                    Layer::Spline(Box::new(SplineLayer::new(config, &mut cursor, all.clone(), all)))
                }
            })
            .collect();
        let tensors = Tensors::new(weights, &cursor);
        let adam = Adam::new(&tensors);
        let (features, dropout) = (config.features(), config.dropout());
        Self { tensors, adam, layers, features, dropout, clip_norm, memory: Memory::default() }
    }

    /// The weights, running statistics and masks.
    pub(crate) fn weights(&self) -> &Weights {
        &self.tensors.values
    }

    /// First and second moments of Adam, and its number of steps.
    pub(crate) fn moments(&self) -> (&Weights, &Weights, u32) {
        (&self.adam.first, &self.adam.second, self.adam.steps)
    }

    /// Sets the moments of Adam, to resume a run.
    pub(crate) fn set_moments(&mut self, first: Weights, second: Weights, steps: u32) {
        self.adam = Adam { first, second, steps };
    }

    /// One step on a batch of standardised rows, `[n, d]`. Returns the loss and whether the weights
    /// changed: they do not if the loss or the norm of the gradient is not finite.
    pub(crate) fn step(&mut self, batch: Vec<f32>, rate: f64, rng: &mut ChaCha8Rng) -> (f64, bool) {
        let loss = self.gradients(batch, rng);
        let norm = self.tensors.norm();
        if !(loss.is_finite() && norm.is_finite()) {
            return (loss, false);
        }
        let scale = if norm > self.clip_norm { self.clip_norm / (norm + 1e-6) } else { 1.0 };
        self.adam.step(&mut self.tensors, rate, scale);
        (loss, true)
    }

    /// The loss of a batch; its gradient is stored beside the weights.
    fn gradients(&mut self, batch: Vec<f32>, rng: &mut ChaCha8Rng) -> f64 {
        let Self { tensors, layers, features: d, dropout, memory, .. } = self;
        let (mut x, d) = (batch, *d);
        let n = x.len() / d;
        let mut ln_det = 0.0;
        let mut row_ln_det = vec![0.0; n];
        for layer in layers.iter_mut() {
            match layer {
                Layer::Reverse => x.chunks_exact_mut(d).for_each(<[f32]>::reverse),
                Layer::Lu { lu, input } => {
                    input.clone_from(&x);
                    ln_det += lu.forward(tensors, &mut x);
                }
                Layer::Spline(layer) => {
                    layer.forward(tensors, &mut x, &mut row_ln_det, d, *dropout, rng, memory);
                }
            }
        }
        let half: f64 = x.iter().map(|z| f64::from(*z).powi(2)).sum::<f64>() / 2.0;
        let rows: f64 = row_ln_det.iter().map(|v| f64::from(*v)).sum();
        let loss = (half - rows) / n as f64 - ln_det + 0.5 * d as f64 * LN_2PI;

        let mut by: Vec<f32> = x.into_iter().map(|z| z / n as f32).collect();
        for layer in layers.iter().rev() {
            match layer {
                Layer::Reverse => by.chunks_exact_mut(d).for_each(<[f32]>::reverse),
                Layer::Lu { lu, input } => lu.backward(tensors, input, &mut by),
                Layer::Spline(layer) => layer.backward(tensors, &mut by, d, *dropout, memory),
            }
        }
        loss
    }
}

#[cfg(test)]
impl TrainingFlow {
    /// Loss of a batch and its derivatives with respect to the weights.
    pub(super) fn gradients_of(
        &mut self,
        batch: Vec<f32>,
        rng: &mut ChaCha8Rng,
    ) -> (f64, Vec<Vec<f64>>) {
        let loss = self.gradients(batch, rng);
        let double = |tensor: &Vec<f32>| tensor.iter().map(|v| f64::from(*v)).collect();
        (loss, self.tensors.grads.iter().map(double).collect())
    }
}

impl SplineLayer {
    fn new(
        config: &FlowConfig,
        cursor: &mut Cursor,
        condition: Vec<usize>,
        transformed: Vec<usize>,
    ) -> Self {
        // As in the reference package, couplings alone scale.
        let (scale, masked) = match config.transform() {
            TransformKind::Coupling => (1.0 / (config.hidden() as f64).sqrt(), false),
            TransformKind::Autoregressive => (1.0, true),
        };
        let spline = Spline::new(config.bins(), config.tail_bound(), scale);
        let shape = [config.hidden(), transformed.len() * spline.raw_len()];
        let net = Net::new(cursor, shape, config.batch_norm(), masked);
        Self { net, spline, condition, transformed, input: Vec::new(), tape: Tape::default() }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one caller, and a struct would only rename them"
    )]
    fn forward(
        &mut self,
        tensors: &mut Tensors,
        x: &mut [f32],
        ln_det: &mut [f32],
        d: usize,
        dropout: f64,
        rng: &mut ChaCha8Rng,
        memory: &mut Memory,
    ) {
        self.input.clear();
        self.input.extend_from_slice(x);
        self.tape.input.resize(x.len() / d, self.condition.len());
        for (r, row) in x.chunks_exact(d).enumerate() {
            self.tape.input.set_row(r, self.condition.iter().map(|&i| row[i]));
        }
        self.net.forward(tensors, &mut self.tape, dropout, rng, memory);
        let Self { spline, transformed, tape: Tape { output, .. }, .. } = self;
        let blocks = x.par_chunks_mut(BLOCK * d).zip(ln_det.par_chunks_mut(BLOCK));
        let blocks = blocks.zip(output.par_blocks());
        blocks.with_min_len(least(output.len())).for_each(|((x, ln_det), output)| {
            let mut scratch = spline.scratch();
            let mut raw = vec![0.0; output.len() / BLOCK * WIDTH];
            vectorised(
                #[inline(always)]
                || {
                    for (r, (x, ln_det)) in x.chunks_exact_mut(d).zip(&mut *ln_det).enumerate() {
                        gather(output, r, &mut raw);
                        for (&i, raw) in transformed.iter().zip(raw.chunks_exact(spline.raw_len()))
                        {
                            let (y, ln) = spline.forward(x[i], raw, &mut scratch);
                            x[i] = y;
                            *ln_det += ln;
                        }
                    }
                },
            );
        });
    }

    fn backward(
        &self,
        tensors: &mut Tensors,
        by: &mut [f32],
        d: usize,
        dropout: f64,
        memory: &mut Memory,
    ) {
        let n = by.len() / d;
        // Derivative of the loss with respect to the log-determinant of each row.
        let by_ln = -1.0 / n as f32;
        let Self { spline, transformed, condition, input, tape, .. } = self;
        let by_output = &mut memory.by.output;
        by_output.resize(n, tape.output.cols());
        let blocks = by.par_chunks_mut(BLOCK * d).zip(by_output.par_blocks_mut());
        let given = input.par_chunks(BLOCK * d).zip(tape.output.par_blocks());
        let least = least(tape.output.len());
        blocks.zip(given).with_min_len(least).for_each(|((by, by_output), (x, output))| {
            let each = spline.raw_len();
            let mut scratch = spline.scratch();
            let mut raw = vec![0.0; output.len() / BLOCK * WIDTH];
            let mut by_raw = raw.clone();
            vectorised(
                #[inline(always)]
                || {
                    for (r, (by, x)) in by.chunks_exact_mut(d).zip(x.chunks_exact(d)).enumerate() {
                        gather(output, r, &mut raw);
                        let raw = raw.chunks_exact(each).zip(by_raw.chunks_exact_mut(each));
                        for (&i, (raw, by_raw)) in transformed.iter().zip(raw) {
                            let by_both = (by[i], by_ln);
                            by[i] = spline.backward(x[i], raw, by_both, by_raw, &mut scratch);
                        }
                        scatter(by_output, r, &by_raw);
                    }
                },
            );
        });
        self.net.backward(tensors, tape, dropout, memory);
        let mut by_condition = vec![0.0; memory.by.input.panels() * WIDTH];
        for (r, by) in by.chunks_exact_mut(d).enumerate() {
            gather(memory.by.input.block(r / BLOCK), r % BLOCK, &mut by_condition);
            condition.iter().zip(&by_condition).for_each(|(&i, v)| by[i] += v);
        }
    }
}
