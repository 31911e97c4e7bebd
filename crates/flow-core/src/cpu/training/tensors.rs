//! The numbers of a flow as flat tensors, with their gradients and the moments of Adam.

use rayon::prelude::*;

use crate::cpu::{adam, kernel::vectorised};

/// Numbers that a thread takes together.
const CHUNK: usize = 1 << 14;
const BETA: [f32; 2] = [adam::BETA[0] as f32, adam::BETA[1] as f32];
const EPSILON: f32 = adam::EPSILON as f32;

/// Flat tensors on the host, in the order in which burn visits those of a chain.
pub(crate) type Weights = Vec<Vec<f32>>;

/// Values and gradients; a tensor that is not trained has no gradient.
#[derive(Clone, Debug)]
pub(super) struct Tensors {
    pub(super) values: Weights,
    pub(super) grads: Weights,
}

/// Assigns indices to tensors in the order of [`Weights`], and notes which are trained.
#[derive(Debug, Default)]
pub(super) struct Cursor(Vec<bool>);

impl Cursor {
    /// The index of the next tensor, which is trained.
    pub(super) fn trained(&mut self) -> usize {
        self.0.push(true);
        self.0.len() - 1
    }

    /// The index of the next tensor, which is not trained: a mask or a running statistic.
    pub(super) fn fixed(&mut self) -> usize {
        self.0.push(false);
        self.0.len() - 1
    }
}

impl Tensors {
    /// `values` with memory for the gradients of those that are trained.
    pub(super) fn new(values: Weights, cursor: &Cursor) -> Self {
        assert_eq!(values.len(), cursor.0.len(), "as many tensors as the layers have");
        let grad = |(v, trained): (&Vec<f32>, &bool)| vec![0.0; if *trained { v.len() } else { 0 }];
        let grads = values.iter().zip(&cursor.0).map(grad).collect();
        Self { values, grads }
    }

    /// Norm of the gradient with respect to all parameters.
    pub(super) fn norm(&self) -> f64 {
        // Sums over chunks of fixed size, so that the result does not depend on the number of threads.
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

/// The moments of Adam; see [`GlobalAdam`](crate::train::GlobalAdam).
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

    /// One step with the gradients multiplied by `scale`.
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
