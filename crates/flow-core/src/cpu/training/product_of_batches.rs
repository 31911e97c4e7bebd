//! The product of two batches: the gradient of a matrix of weights.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::cpu::{
    kernel::{WIDTH, multiply_add},
    training::{
        batch::Batch,
        registers::{Pair, least, pairs, register},
    },
};

/// Blocks of rows that are summed before results are written to memory; the panels of both factors stay
/// in the inner caches.
const SLICE: usize = 6;
/// Most panels of the left factor that a thread takes together.
const PANELS: usize = 4;
/// Rows that are unrolled.
const UNROLLED: usize = 8;

/// Writes the transpose of `left` times `right`, row-major, to `result`.
pub(super) fn product_of_batches(left: &Batch, right: &Batch, result: &mut [f32]) {
    assert_eq!(left.rows(), right.rows(), "as many rows on the right as on the left");
    assert_eq!(result.len(), left.cols() * right.cols(), "room for the product");
    let arch = Arch::new();
    let panels = (left.panels() / rayon::current_num_threads()).clamp(1, PANELS);
    let least = least(left.len() * right.cols());
    let parts = result.par_chunks_mut(panels * WIDTH * right.cols()).with_min_len(least);
    parts.enumerate().for_each(|(part, result)| {
        arch.dispatch(Columns { left, first: part * panels, right, result });
    });
}

/// The rows of [`product_of_batches`] that belong to some columns of the left factor.
struct Columns<'a> {
    left: &'a Batch,
    /// The first panel of the left factor.
    first: usize,
    right: &'a Batch,
    result: &'a mut [f32],
}

impl WithSimd for Columns<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { left, first, right, result } = self;
        let blocks = left.blocks();
        for begin in (0..blocks).step_by(SLICE) {
            let blocks = begin..blocks.min(begin + SLICE);
            for pair in pairs::<S>(right.panels()) {
                let panels = result.chunks_mut(WIDTH * right.cols());
                for (panel, result) in (first..).zip(panels) {
                    let mut part =
                        Part { left, panel, right, pair, blocks: blocks.clone(), result };
                    if S::F32_LANES == 8 {
                        part.add::<S, 6, 0>(simd);
                        part.add::<S, 5, 6>(simd);
                        part.add::<S, 5, 11>(simd);
                    } else {
                        part.add::<S, 8, 0>(simd);
                        part.add::<S, 8, 8>(simd);
                    }
                }
            }
        }
    }
}

/// A panel of the left factor with two registers of the right one, over some blocks of rows.
struct Part<'a> {
    left: &'a Batch,
    panel: usize,
    right: &'a Batch,
    pair: Pair,
    blocks: Range<usize>,
    result: &'a mut [f32],
}

impl Part<'_> {
    /// Columns `C..C + H` of the panel.
    #[inline(always)]
    fn add<S: Simd, const H: usize, const C: usize>(&mut self, simd: S) {
        let Self { left, panel, right, pair: [(p, a), (q, b)], ref blocks, ref mut result } = *self;
        let cols = right.cols();
        if C * cols >= result.len() {
            return;
        }
        let mut sums = [[simd.splat_f32s(0.0); 2]; H];
        for block in blocks.clone() {
            let left = left.panel(block, panel).as_chunks::<UNROLLED>();
            let [first, second] = [p, q].map(|p| right.panel(block, p).as_chunks::<UNROLLED>());
            for ((left, first), second) in left.0.iter().zip(first.0).zip(second.0) {
                for k in 0..UNROLLED {
                    let x = [register::<S>(&first[k], a), register::<S>(&second[k], b)];
                    let weights = std::array::from_fn(|i| left[k].0[C + i]);
                    multiply_add::<S, H, 2>(simd, &mut sums, weights, x);
                }
            }
            for ((left, first), second) in left.1.iter().zip(first.1).zip(second.1) {
                let x = [register::<S>(first, a), register::<S>(second, b)];
                let weights = std::array::from_fn(|i| left.0[C + i]);
                multiply_add::<S, H, 2>(simd, &mut sums, weights, x);
            }
        }
        let add = blocks.start > 0;
        for (sums, row) in sums.iter().zip(result[C * cols..].chunks_exact_mut(cols)) {
            store(simd, sums[0], row, p * WIDTH + a * S::F32_LANES, add);
            if (p, a) != (q, b) {
                store(simd, sums[1], row, q * WIDTH + b * S::F32_LANES, add);
            }
        }
    }
}

/// Writes a register to `row[begin..]`, or as much of it as fits.
#[inline(always)]
fn store<S: Simd>(simd: S, sum: S::f32s, row: &mut [f32], begin: usize, add: bool) {
    let row = row.get_mut(begin..).unwrap_or_default();
    if let Some(place) = S::as_mut_simd_f32s(row).0.first_mut() {
        *place = if add { simd.add_f32s(*place, sum) } else { sum };
    } else {
        let mut lanes = [0.0; WIDTH];
        S::as_mut_simd_f32s(&mut lanes).0[0] = sum;
        for (place, sum) in row.iter_mut().zip(lanes) {
            *place = if add { *place + sum } else { sum };
        }
    }
}
