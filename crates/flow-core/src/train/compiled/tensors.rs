//! The numbers of a flow as flat tensors, with their gradients and Adam's moments.

use rayon::prelude::*;

use super::vectorised;
use crate::train::weights::Weights;

/// Numbers that a thread takes at a time.
const CHUNK: usize = 1 << 14;
const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// Values and gradients; a tensor that is not trained has no gradient.
#[derive(Clone, Debug)]
pub(super) struct Tensors {
    pub(super) values: Weights,
    pub(super) grads: Weights,
}

/// Hands out places of tensors in the order of [`Weights`].
#[derive(Debug, Default)]
pub(super) struct Cursor(Vec<bool>);

impl Cursor {
    /// The place of the next tensor, which is trained.
    pub(super) fn trained(&mut self) -> usize {
        self.0.push(true);
        self.0.len() - 1
    }

    /// The place of the next tensor, which is not: a mask or a running statistic.
    pub(super) fn fixed(&mut self) -> usize {
        self.0.push(false);
        self.0.len() - 1
    }
}

impl Tensors {
    /// `values` with room for the gradients of those that are trained.
    pub(super) fn new(values: Weights, cursor: &Cursor) -> Self {
        assert_eq!(values.len(), cursor.0.len(), "as many tensors as the layers have");
        let grad = |(v, trained): (&Vec<f32>, &bool)| vec![0.0; if *trained { v.len() } else { 0 }];
        let grads = values.iter().zip(&cursor.0).map(grad).collect();
        Self { values, grads }
    }

    /// Norm of all gradients together.
    pub(super) fn norm(&self) -> f64 {
        // Sums of fixed chunks, so that the number of threads does not matter.
        let squares = |chunk: &[f32]| {
            vectorised(
                #[inline(always)]
                || {
                    let (mut sums, (parts, rest)) = ([0.0_f32; 32], chunk.as_chunks::<32>());
                    for part in parts {
                        sums.iter_mut().zip(part).for_each(|(s, v)| *s += v * v);
                    }
                    sums.iter()
                        .chain(rest.iter().map(|v| v * v).collect::<Vec<_>>().iter())
                        .map(|v| f64::from(*v))
                        .sum::<f64>()
                },
            )
        };
        let chunks: Vec<&[f32]> = self.grads.iter().flat_map(|g| g.chunks(CHUNK)).collect();
        let sums: Vec<f64> = chunks.into_par_iter().map(squares).collect();
        sums.iter().sum::<f64>().sqrt()
    }
}

/// Adam's moments; see [`GlobalAdam`](crate::train::GlobalAdam).
#[derive(Clone, Debug)]
pub(super) struct Adam {
    pub(super) first: Weights,
    pub(super) second: Weights,
    pub(super) steps: u32,
}

impl Adam {
    pub(super) fn new(tensors: &Tensors) -> Self {
        let zeros = || tensors.grads.iter().map(|g| vec![0.0; g.len()]).collect();
        Self { first: zeros(), second: zeros(), steps: 0 }
    }

    /// One step with gradients times `scale`.
    pub(super) fn step(&mut self, tensors: &mut Tensors, rate: f64, scale: f64) {
        self.steps += 1;
        let correction = BETA.map(|b| 1.0 - f64::from(b).powi(self.steps as i32));
        let rate = (rate / correction[0]) as f32;
        let root = (1.0 / correction[1].sqrt()) as f32;
        let scale = scale as f32;
        let tensors = tensors.values.iter_mut().zip(&tensors.grads);
        let moments = self.first.iter_mut().zip(&mut self.second);
        let chunks: Vec<_> = tensors
            .zip(moments)
            .flat_map(|((values, grads), (first, second))| {
                let values = values.chunks_mut(CHUNK).zip(grads.chunks(CHUNK));
                values.zip(first.chunks_mut(CHUNK).zip(second.chunks_mut(CHUNK)))
            })
            .collect();
        chunks.into_par_iter().for_each(|((values, grads), (first, second))| {
            vectorised(
                #[inline(always)]
                || {
                    let moments = first.iter_mut().zip(second.iter_mut());
                    for ((value, grad), (m, v)) in values.iter_mut().zip(grads).zip(moments) {
                        let grad = grad * scale;
                        *m = BETA[0] * *m + (1.0 - BETA[0]) * grad;
                        *v = BETA[1] * *v + (1.0 - BETA[1]) * grad * grad;
                        *value -= rate * *m / (v.sqrt() * root + EPSILON);
                    }
                },
            );
        });
    }
}
