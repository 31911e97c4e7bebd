//! Passes over the rows of a batch.
//!
//! Sums over rows are taken block by block and then over the blocks, whose size is fixed, so that they
//! do not depend on the number of threads.

use rayon::prelude::*;

/// Rows of a block.
pub(super) const BLOCK: usize = 64;
/// Numbers below which a second thread costs more than it brings.
const WORTH_SHARING: usize = 1 << 14;

/// Fewest blocks a thread takes when there are `numbers` numbers in all.
pub(super) fn least(numbers: usize) -> usize {
    if numbers < WORTH_SHARING { usize::MAX } else { 1 }
}

/// What `fill` makes of each block, which holds rows `first..` of a batch, of zeros of length `len`: one
/// after the other.
pub(super) fn parts(
    rows: usize,
    len: usize,
    fill: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync,
) -> Vec<f32> {
    let blocks = rows.div_ceil(BLOCK);
    let mut parts = vec![0.0; blocks * len];
    parts.par_chunks_mut(len).with_min_len(least(rows * len)).enumerate().for_each(|(b, part)| {
        pulp::Arch::new().dispatch(|| fill(b * BLOCK..((b + 1) * BLOCK).min(rows), part));
    });
    parts
}

/// Sums over the rows of a batch: `add` adds those of one block to zeros of length `len`.
pub(super) fn sums(
    rows: usize,
    len: usize,
    add: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut parts = parts(rows, len, add);
    let (total, rest) = parts.split_at_mut(len);
    for part in rest.chunks_exact(len) {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    parts.truncate(len);
    parts
}

/// Sums of the columns of `x`, `[rows, len]`.
pub(super) fn column_sums(x: &[f32], len: usize) -> Vec<f32> {
    sums(x.len() / len, len, |rows, part| {
        for row in x[rows.start * len..rows.end * len].chunks_exact(len) {
            part.iter_mut().zip(row).for_each(|(p, v)| *p += v);
        }
    })
}
