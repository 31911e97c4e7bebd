//! Blocks of samples side by side: the inner loops of mixture densities and of weighted EM.
//!
//! Samples come as columns; a block of [`LANES`] of them is transposed once so that every loop runs
//! over neighbouring samples. Partial sums belong to fixed chunks of samples and are added in order, so that
//! results do not depend on the number of threads; their last bits depend on the instruction set.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the set dispatched to"
)]

use nalgebra::DMatrix;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use sim_core::elementary::exp_nonpositive;

use super::{
    GaussianMixture,
    lanes::{LANES, dots, lane, lane_mut, squares, total},
};
use crate::math::special::LN_2PI;

/// Samples whose sums one task adds up.
const CHUNK: usize = 16 * LANES;
/// Scalar products that are taken together.
const TOGETHER: usize = 4;

/// A mixture prepared for evaluation: inverse Cholesky factors, row by row, and constants.
pub(super) struct Kernel {
    d: usize,
    ln_constant: Vec<f64>,
    means: Vec<f64>,
    inverse: Vec<f64>,
}

/// First and second weighted moments of each component about its centre, and the objective.
#[derive(Clone)]
pub(super) struct Moments {
    /// Weight of each component, `[k]`.
    pub(super) weight: Vec<f64>,
    /// First moments about the centres, `[k][d]`.
    pub(super) first: Vec<f64>,
    /// Lower triangles of the second moments about the centres, `[k][d (d + 1) / 2]`.
    pub(super) second: Vec<f64>,
    /// $\sum_i w_i \log q(x_i)$.
    pub(super) ln_likelihood: f64,
}

/// Scratch of one task.
struct Block {
    x: Vec<f64>,
    centred: Vec<f64>,
    scaled: [f64; LANES],
    /// Of each component, by what [`Kernel::evaluate`] leaves here or what moments are taken with.
    terms: Vec<f64>,
    /// Sum of the terms.
    sum: [f64; LANES],
    /// Log-density.
    total: [f64; LANES],
}

impl Block {
    fn new(d: usize, k: usize) -> Self {
        Self {
            x: vec![0.0; d * LANES],
            centred: vec![0.0; d * LANES],
            scaled: [0.0; LANES],
            terms: vec![0.0; k * LANES],
            sum: [0.0; LANES],
            total: [0.0; LANES],
        }
    }

    /// Transposes up to [`LANES`] samples into the block.
    fn load(&mut self, samples: &[f64], d: usize) {
        for (b, sample) in samples.chunks_exact(d).enumerate() {
            for (j, value) in sample.iter().enumerate() {
                self.x[j * LANES + b] = *value;
            }
        }
    }

    #[inline(always)]
    fn centre(&mut self, mean: &[f64]) {
        for (j, m) in mean.iter().enumerate() {
            let x = lane(&self.x, j);
            for (c, x) in lane_mut(&mut self.centred, j).iter_mut().zip(x) {
                *c = x - m;
            }
        }
    }

    /// Adds the block's moments about `centres`; `terms` hold responsibility times weight.
    fn add_moments(&mut self, centres: &[f64], d: usize, sums: &mut Moments) {
        Arch::new().dispatch(AddMoments { block: self, centres, d, sums });
    }
}

/// See [`Block::add_moments`].
struct AddMoments<'a> {
    block: &'a mut Block,
    centres: &'a [f64],
    d: usize,
    sums: &'a mut Moments,
}

impl WithSimd for AddMoments<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { block, centres, d, sums } = self;
        let packed = d * (d + 1) / 2;
        for (k, centre) in centres.chunks_exact(d).enumerate() {
            block.centre(centre);
            let gamma = lane(&block.terms, k);
            sums.weight[k] += total(gamma);
            let second = &mut sums.second[k * packed..][..packed];
            for i in 0..d {
                for ((s, g), c) in block.scaled.iter_mut().zip(gamma).zip(lane(&block.centred, i)) {
                    *s = g * c;
                }
                sums.first[k * d + i] += total(&block.scaled);
                let row = |j: usize| lane(&block.centred, j);
                let (groups, rest) = second[i * (i + 1) / 2..][..=i].as_chunks_mut::<TOGETHER>();
                let grouped = TOGETHER * groups.len();
                for (g, sums) in groups.iter_mut().enumerate() {
                    let lanes = std::array::from_fn(|t| row(TOGETHER * g + t));
                    let products = dots::<S, TOGETHER>(simd, &block.scaled, lanes);
                    sums.iter_mut().zip(products).for_each(|(sum, v)| *sum += v);
                }
                for (t, sum) in rest.iter_mut().enumerate() {
                    *sum += dots::<S, 1>(simd, &block.scaled, [row(grouped + t)])[0];
                }
            }
        }
    }
}

impl Moments {
    fn new(d: usize, k: usize) -> Self {
        Self {
            weight: vec![0.0; k],
            first: vec![0.0; k * d],
            second: vec![0.0; k * d * (d + 1) / 2],
            ln_likelihood: 0.0,
        }
    }

    fn sum(d: usize, k: usize, parts: Vec<Self>) -> Self {
        parts.into_iter().fold(Self::new(d, k), |mut sum, part| {
            let add = |a: &mut Vec<f64>, b: Vec<f64>| {
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            };
            add(&mut sum.weight, part.weight);
            add(&mut sum.first, part.first);
            add(&mut sum.second, part.second);
            sum.ln_likelihood += part.ln_likelihood;
            sum
        })
    }

    /// Moments under given responsibilities.
    ///
    /// # Shapes
    /// - `x`: `n * d` numbers, `w`: `[n]`, `resp`: `[k, n]`, `centres`: `[k][d]`
    pub(super) fn from_responsibilities(
        x: &[f64],
        w: &[f64],
        resp: &DMatrix<f64>,
        centres: &[f64],
    ) -> Self {
        let k = resp.nrows();
        let d = centres.len() / k;
        let tasks: Vec<_> = x.chunks(CHUNK * d).zip(w.chunks(CHUNK)).enumerate().collect();
        let parts = tasks
            .into_par_iter()
            .map(|(task, (x, w))| {
                let mut block = Block::new(d, k);
                let mut sums = Self::new(d, k);
                for (part, (x, w)) in x.chunks(LANES * d).zip(w.chunks(LANES)).enumerate() {
                    block.load(x, d);
                    block.terms.fill(0.0);
                    let first = task * CHUNK + part * LANES;
                    for (b, w) in w.iter().enumerate() {
                        for k in 0..k {
                            block.terms[k * LANES + b] = w * resp[(k, first + b)];
                        }
                    }
                    block.add_moments(centres, d, &mut sums);
                }
                sums
            })
            .collect();
        Self::sum(d, k, parts)
    }
}

impl Kernel {
    pub(super) fn new(mixture: &GaussianMixture) -> Self {
        let (d, k) = (mixture.means.nrows(), mixture.len());
        let mut kernel = Self {
            d,
            ln_constant: Vec::with_capacity(k),
            means: mixture.means.as_slice().to_vec(),
            inverse: Vec::with_capacity(k * d * (d + 1) / 2),
        };
        for (weight, factor) in mixture.weights.iter().zip(&mixture.factors) {
            let ln_det: f64 = factor.diagonal().iter().map(|v| v.ln()).sum();
            kernel.ln_constant.push(weight.ln() - ln_det - 0.5 * d as f64 * LN_2PI);
            let inverse = factor
                .solve_lower_triangular(&DMatrix::identity(d, d))
                .expect("a Cholesky factor has a positive diagonal");
            for i in 0..d {
                kernel.inverse.extend((0..=i).map(|j| inverse[(i, j)]));
            }
        }
        kernel
    }

    fn len(&self) -> usize {
        self.ln_constant.len()
    }

    /// Each weighted component density over the largest of them, into `block.terms`; their sum, into
    /// `block.sum`; the log-density, into `block.total`.
    fn evaluate(&self, block: &mut Block) {
        Arch::new().dispatch(Evaluate { kernel: self, block });
    }

    /// Log-densities of the samples in `x`, `n * d` numbers.
    pub(super) fn ln_pdf(&self, x: &[f64], out: &mut [f64]) {
        x.par_chunks(CHUNK * self.d).zip(out.par_chunks_mut(CHUNK)).for_each(|(x, out)| {
            let mut block = Block::new(self.d, self.len());
            for (x, out) in x.chunks(LANES * self.d).zip(out.chunks_mut(LANES)) {
                block.load(x, self.d);
                self.evaluate(&mut block);
                out.copy_from_slice(&block.total[..out.len()]);
            }
        });
    }

    /// One E-step and the sums of the M-step that follows it, about the current means.
    pub(super) fn moments(&self, x: &[f64], w: &[f64]) -> Moments {
        let (d, k) = (self.d, self.len());
        let parts = x
            .par_chunks(CHUNK * d)
            .zip(w.par_chunks(CHUNK))
            .map(|(x, w)| {
                let mut block = Block::new(d, k);
                let mut sums = Moments::new(d, k);
                let mut weight = [0.0; LANES];
                for (x, w) in x.chunks(LANES * d).zip(w.chunks(LANES)) {
                    block.load(x, d);
                    self.evaluate(&mut block);
                    weight.fill(0.0);
                    for (((share, w), sum), total) in
                        weight.iter_mut().zip(w).zip(&block.sum).zip(&block.total)
                    {
                        *share = w / sum;
                        if *w > 0.0 {
                            sums.ln_likelihood += w * total;
                        }
                    }
                    for k in 0..k {
                        let terms = lane_mut(&mut block.terms, k);
                        terms.iter_mut().zip(&weight).for_each(|(term, share)| *term *= share);
                    }
                    block.add_moments(&self.means, d, &mut sums);
                }
                sums
            })
            .collect();
        Moments::sum(d, k, parts)
    }

    /// Responsibilities, `[k, n]`.
    pub(super) fn responsibilities(&self, x: &[f64]) -> DMatrix<f64> {
        let mut resp = DMatrix::zeros(self.len(), x.len() / self.d);
        let mut block = Block::new(self.d, self.len());
        for (index, x) in x.chunks(LANES * self.d).enumerate() {
            block.load(x, self.d);
            self.evaluate(&mut block);
            for b in 0..x.len() / self.d {
                for k in 0..self.len() {
                    resp[(k, index * LANES + b)] = block.terms[k * LANES + b] / block.sum[b];
                }
            }
        }
        resp
    }
}

/// See [`Kernel::evaluate`].
struct Evaluate<'a> {
    kernel: &'a Kernel,
    block: &'a mut Block,
}

impl WithSimd for Evaluate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { kernel, block } = self;
        let packed = kernel.d * (kernel.d + 1) / 2;
        block.total.fill(f64::NEG_INFINITY);
        for k in 0..kernel.len() {
            block.centre(&kernel.means[k * kernel.d..][..kernel.d]);
            let factor = &kernel.inverse[k * packed..][..packed];
            let squares = squares(simd, factor, &block.centred);
            let constant = kernel.ln_constant[k];
            for ((term, max), square) in
                lane_mut(&mut block.terms, k).iter_mut().zip(&mut block.total).zip(&squares)
            {
                *term = constant - 0.5 * square;
                *max = max.max(*term);
            }
        }
        block.sum.fill(0.0);
        for k in 0..kernel.len() {
            let terms = lane_mut(&mut block.terms, k);
            for ((term, max), sum) in terms.iter_mut().zip(&block.total).zip(&mut block.sum) {
                *term = exp_nonpositive(*term - max);
                *sum += *term;
            }
        }
        block.total.iter_mut().zip(&block.sum).for_each(|(total, sum)| *total += sum.ln());
    }
}
