//! Blocks of samples side by side: the inner loops of mixture densities and of weighted EM.
//!
//! Samples come as columns; a block of [`LANES`] of them is transposed once so that every loop runs
//! over neighbouring samples. The two that matter, the triangular product of the densities and the second
//! moments, are written in vector registers; the rest is left to the compiler. Partial sums belong to
//! fixed chunks of samples and are added in order, so that results do not depend on the number of
//! threads; their last bits depend on the instruction set.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the set dispatched to"
)]

use nalgebra::DMatrix;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::GaussianMixture;
use crate::density::LN_2PI;

/// Samples side by side in one block.
const LANES: usize = 64;
/// Samples whose sums one task adds up.
const CHUNK: usize = 16 * LANES;

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

type Lane = [f64; LANES];

#[inline(always)]
fn lane(values: &[f64], index: usize) -> &Lane {
    values[index * LANES..][..LANES].try_into().expect("a lane has LANES entries")
}

#[inline(always)]
fn lane_mut(values: &mut [f64], index: usize) -> &mut Lane {
    (&mut values[index * LANES..][..LANES]).try_into().expect("a lane has LANES entries")
}

/// $e^x$ for $x \le 0$ to within two units in the last place, in operations that exist as vector
/// instructions: $x = n \log 2 + r$ with $|r| \le \frac12\log 2$, a Taylor polynomial in $r$, and $n$ put
/// into the exponent. Below $-700$ it is zero.
#[inline(always)]
fn exp_nonpositive(x: f64) -> f64 {
    // Adding 1.5 * 2^52 rounds to an integer, which then stands in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const INVERSE_FACTORIALS: [f64; 14] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5_040.0,
        1.0 / 40_320.0,
        1.0 / 362_880.0,
        1.0 / 3_628_800.0,
        1.0 / 39_916_800.0,
        1.0 / 479_001_600.0,
        1.0 / 6_227_020_800.0,
    ];
    let clamped = if x > -700.0 { x } else { -700.0 };
    let shifted = clamped * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut value = INVERSE_FACTORIALS[13];
    for coefficient in INVERSE_FACTORIALS[..13].iter().rev() {
        value = value * r + coefficient;
    }
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x > -700.0 { value * power } else { 0.0 }
}

/// Registers of a density's lane that are summed up together, and running sums of a scalar product.
const HELD: usize = 4;
const RUNNING: usize = 2;
/// Scalar products that are taken together.
const TOGETHER: usize = 4;

/// Scalar products of `a` with some lanes, in vector registers.
#[inline(always)]
fn dots<S: Simd, const T: usize>(simd: S, a: &Lane, b: [&Lane; T]) -> [f64; T] {
    let parts = |lane| S::as_simd_f64s(lane).0.as_chunks::<RUNNING>().0;
    let b = b.map(|b| parts(b));
    let mut sums = [[simd.splat_f64s(0.0); RUNNING]; T];
    for (i, a) in parts(a).iter().enumerate() {
        for t in 0..T {
            for r in 0..RUNNING {
                sums[t][r] = simd.mul_add_e_f64s(a[r], b[t][i][r], sums[t][r]);
            }
        }
    }
    sums.map(|[first, second]| simd.reduce_sum_f64s(simd.add_f64s(first, second)))
}

/// Sum with eight running sums.
#[inline(always)]
fn total(a: &Lane) -> f64 {
    let mut sums = [0.0; 8];
    for a in a.as_chunks::<8>().0 {
        for lane in 0..8 {
            sums[lane] += a[lane];
        }
    }
    sums.iter().sum()
}

/// Squared norms of the product of a lower triangle, row by row, with each sample of a block.
#[inline(always)]
fn squares<S: Simd>(simd: S, triangle: &[f64], centred: &[f64]) -> Lane {
    let mut squares = [0.0; LANES];
    let (parts, _) = S::as_mut_simd_f64s(&mut squares);
    for (p, square) in parts.as_chunks_mut::<HELD>().0.iter_mut().enumerate() {
        let mut sum = [simd.splat_f64s(0.0); HELD];
        let mut rest = triangle;
        for i in 1..=centred.len() / LANES {
            let (row, below) = rest.split_at(i);
            rest = below;
            let mut held = [simd.splat_f64s(0.0); HELD];
            for (entry, lane) in row.iter().zip(centred.chunks_exact(LANES)) {
                let lane = S::as_simd_f64s(lane).0.as_chunks::<HELD>().0[p];
                let entry = simd.splat_f64s(*entry);
                for h in 0..HELD {
                    held[h] = simd.mul_add_e_f64s(entry, lane[h], held[h]);
                }
            }
            for h in 0..HELD {
                sum[h] = simd.mul_add_e_f64s(held[h], held[h], sum[h]);
            }
        }
        *square = sum;
    }
    squares
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
    #[inline(always)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_accurate_over_its_range() {
        for i in 0..200_000 {
            let x = -f64::from(i) * 3.49e-3;
            let (actual, expected) = (exp_nonpositive(x), x.exp());
            assert!((actual - expected).abs() <= 5e-16 * expected, "{x}: {actual} {expected}");
        }
        assert!(exp_nonpositive(0.0).to_bits() == 1.0_f64.to_bits());
        assert!(exp_nonpositive(f64::NEG_INFINITY).abs() < f64::MIN_POSITIVE);
        assert!(exp_nonpositive(-1e300).abs() < f64::MIN_POSITIVE);
    }
}
