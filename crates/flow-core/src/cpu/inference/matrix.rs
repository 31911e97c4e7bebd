//! Products of a packed matrix with panels of samples.
//!
//! A panel holds [`WIDTH`] samples, feature by feature: `panel[i * WIDTH + r]` is feature `i` of
//! sample `r`. A matrix is packed in blocks of [`HEIGHT`] outputs, and `block[k * HEIGHT + i]` is the
//! weight of input `k` for output `i`. The innermost loop reads both in order and keeps a block of
//! results in registers. A panel of a few hundred inputs stays in the level-1 cache.

use pulp::Simd;

use crate::cpu::kernel::{WIDTH, multiply_add};

/// Outputs of a block.
const HEIGHT: usize = 12;
/// Outputs that are computed together where there are half as many registers.
const HALF: usize = HEIGHT / 2;

/// How a product is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// As it is.
    Store,
    /// As $\max(y, 0)$.
    Relu,
    /// Added to the old value.
    Add,
}

/// $y = W x + b$, packed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    blocks: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Matrix {
    /// Packs `weight`, `[outputs, inputs]`, row-major.
    pub(super) fn new(weight: &[f64], bias: &[f64]) -> Self {
        let outputs = bias.len();
        let inputs = weight.len() / outputs;
        let padded = outputs.div_ceil(HEIGHT) * HEIGHT;
        let mut blocks = vec![0.0; padded * inputs];
        for (o, row) in weight.chunks(inputs.max(1)).enumerate().take(outputs) {
            for (k, w) in row.iter().enumerate() {
                blocks[(o / HEIGHT * inputs + k) * HEIGHT + o % HEIGHT] = *w as f32;
            }
        }
        let mut packed = vec![0.0; padded];
        packed.iter_mut().zip(bias).for_each(|(p, b)| *p = *b as f32);
        Self { blocks, bias: packed, inputs }
    }

    /// Outputs, rounded up to whole blocks: the size of a panel of results.
    pub(super) fn padded(&self) -> usize {
        self.bias.len()
    }

    /// Products for several panels; `x` holds panels of `x_len` and `y` of `y_len` numbers.
    #[inline(always)]
    pub(super) fn apply<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        x_len: usize,
        y: &mut [f32],
        y_len: usize,
        then: Then,
    ) {
        let size = self.inputs * HEIGHT;
        let used = self.inputs * WIDTH;
        for (b, bias) in self.bias.chunks_exact(HEIGHT).enumerate() {
            let block = &self.blocks[b * size..][..size];
            let place = b * HEIGHT * WIDTH;
            if S::F32_LANES == WIDTH {
                // Two panels together: one register of each.
                let mut panels = x.chunks_exact(2 * x_len);
                let mut results = y.chunks_exact_mut(2 * y_len);
                for (x, y) in panels.by_ref().zip(results.by_ref()) {
                    let (first, _) = S::as_simd_f32s(&x[..used]);
                    let (second, _) = S::as_simd_f32s(&x[x_len..x_len + used]);
                    let x = first.iter().zip(second).map(|(a, b)| [*a, *b]);
                    let sums = product::<S, HEIGHT, 2>(simd, block, 0, bias, x);
                    let (first, second) = y.split_at_mut(y_len);
                    let (first, _) = S::as_mut_simd_f32s(&mut first[place..]);
                    let (second, _) = S::as_mut_simd_f32s(&mut second[place..]);
                    for (sums, y) in sums.iter().zip(first.iter_mut().zip(second)) {
                        finish(simd, sums[0], y.0, then);
                        finish(simd, sums[1], y.1, then);
                    }
                }
                if let Some(x) = panels.remainder().get(..used).filter(|x| !x.is_empty()) {
                    let (x, _) = S::as_simd_f32s(x);
                    let x = x.iter().map(|x| [*x]);
                    let sums = product::<S, HEIGHT, 1>(simd, block, 0, bias, x);
                    let (y, _) = S::as_mut_simd_f32s(&mut results.into_remainder()[place..]);
                    for (sums, y) in sums.iter().zip(y) {
                        finish(simd, sums[0], y, then);
                    }
                }
            } else {
                for (x, y) in x.chunks_exact(x_len).zip(y.chunks_exact_mut(y_len)) {
                    narrow(simd, block, bias, &x[..used], &mut y[place..], then);
                }
            }
        }
    }
}

/// A block for one panel whose rows are several registers: two of them together.
#[inline(always)]
fn narrow<S: Simd>(simd: S, block: &[f32], bias: &[f32], x: &[f32], y: &mut [f32], then: Then) {
    let (x, _) = S::as_simd_f32s(x);
    let (y, _) = S::as_mut_simd_f32s(y);
    let row = WIDTH / S::F32_LANES;
    for first in [0, HALF] {
        for start in (0..row).step_by(2) {
            let x = x.chunks_exact(row).map(|x| [x[start], x[start + 1]]);
            let sums = product::<S, HALF, 2>(simd, block, first, bias, x);
            for (i, sums) in sums.iter().enumerate() {
                let y = &mut y[(first + i) * row + start..][..2];
                finish(simd, sums[0], &mut y[0], then);
                finish(simd, sums[1], &mut y[1], then);
            }
        }
    }
}

/// Outputs `first..first + H` of a block for `R` registers of samples.
#[inline(always)]
fn product<S: Simd, const H: usize, const R: usize>(
    simd: S,
    block: &[f32],
    first: usize,
    bias: &[f32],
    x: impl Iterator<Item = [S::f32s; R]>,
) -> [[S::f32s; R]; H] {
    let mut sums = [[simd.splat_f32s(0.0); R]; H];
    for (sums, bias) in sums.iter_mut().zip(&bias[first..]) {
        *sums = [simd.splat_f32s(*bias); R];
    }
    let weights = block
        .chunks_exact(HEIGHT)
        .map(|w| w[first..first + H].try_into().expect("a block's weights"));
    accumulate(simd, &mut sums, x.zip(weights));
    sums
}

#[inline(always)]
fn finish<S: Simd>(simd: S, sum: S::f32s, y: &mut S::f32s, then: Then) {
    *y = match then {
        Then::Store => sum,
        Then::Relu => simd.max_f32s(sum, simd.splat_f32s(0.0)),
        Then::Add => simd.add_f32s(*y, sum),
    };
}

/// Adds the products of pairs of registers and weights to a block of sums.
#[inline(always)]
fn accumulate<'a, S: Simd, const H: usize, const R: usize>(
    simd: S,
    sums: &mut [[S::f32s; R]; H],
    pairs: impl Iterator<Item = ([S::f32s; R], &'a [f32; H])>,
) {
    // A local copy stays in registers.
    let mut held = *sums;
    for (x, weights) in pairs {
        multiply_add::<S, H, R>(simd, &mut held, *weights, x);
    }
    *sums = held;
}
