//! The memory layout of a batch in a training step.
//!
//! Rows are grouped in blocks; within a block the columns are grouped in panels, and a panel is
//! row-major. In this layout a batch can be the left factor, the transposed left factor and the right
//! factor of a product without a copy. Threads take blocks, and elementwise passes keep the values of a
//! panel's columns in registers.
//!
//! Sums over rows are taken within blocks and then over the blocks, whose size is fixed, so that they
//! do not depend on the number of threads.

use rayon::prelude::*;

use crate::cpu::kernel::{WIDTH, vectorised};

/// Rows of a block, a multiple of the rows that a product computes together.
pub(super) const BLOCK: usize = 48;
/// Numbers below which a second thread costs more than it saves.
const WORTH_SHARING: usize = 1 << 14;

/// Fewest blocks that a thread takes of `numbers` numbers in total.
pub(super) fn least(numbers: usize) -> usize {
    if numbers < WORTH_SHARING { usize::MAX } else { 1 }
}

/// A row of a panel: one cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Row(pub(super) [f32; WIDTH]);

/// One number per column as rows of panels, zero after the last column.
pub(super) fn padded(values: &[f32]) -> Vec<Row> {
    values
        .chunks(WIDTH)
        .map(|values| {
            let mut row = Row::default();
            row.0[..values.len()].copy_from_slice(values);
            row
        })
        .collect()
}

/// The numbers of the first `len` columns.
pub(super) fn flat(rows: &[Row], len: usize) -> Vec<f32> {
    rows.iter().flat_map(|row| row.0).take(len).collect()
}

/// A batch, `[rows, cols]`. Columns that complete the last panel are zero; rows that complete the last
/// block are arbitrary.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    data: Vec<Row>,
    rows: usize,
    cols: usize,
}

impl Batch {
    /// Sets the shape; the numbers are arbitrary until they are written.
    pub(super) fn resize(&mut self, rows: usize, cols: usize) {
        if self.cols != cols {
            self.data.clear();
        }
        (self.rows, self.cols) = (rows, cols);
        self.data.resize(rows.div_ceil(BLOCK) * self.block_len(), Row::default());
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn cols(&self) -> usize {
        self.cols
    }

    /// Numbers in total.
    pub(super) fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// Panels of a row.
    pub(super) fn panels(&self) -> usize {
        self.cols.div_ceil(WIDTH)
    }

    /// Rows of panels in a block.
    fn block_len(&self) -> usize {
        self.panels() * BLOCK
    }

    /// Number of blocks.
    pub(super) fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK)
    }

    /// Block `b`: panel by panel, [`BLOCK`] rows each.
    pub(super) fn block(&self, b: usize) -> &[Row] {
        &self.data[b * self.block_len()..][..self.block_len()]
    }

    /// Rows of block `b` that belong to the batch.
    pub(super) fn rows_of(&self, b: usize) -> usize {
        BLOCK.min(self.rows - b * BLOCK)
    }

    /// Rows of panel `p` of block `b` that belong to the batch.
    pub(super) fn panel(&self, b: usize, p: usize) -> &[Row] {
        &self.data[b * self.block_len() + p * BLOCK..][..self.rows_of(b)]
    }

    /// The blocks, as a parallel iterator.
    pub(super) fn par_blocks(&self) -> rayon::slice::Chunks<'_, Row> {
        self.data.par_chunks(self.block_len())
    }

    /// The blocks, as a parallel iterator for writing.
    pub(super) fn par_blocks_mut(&mut self) -> rayon::slice::ChunksMut<'_, Row> {
        let len = self.block_len();
        self.data.par_chunks_mut(len)
    }

    /// Columns of panel `p` in row `r`, for writing.
    pub(super) fn part_mut(&mut self, r: usize, p: usize) -> &mut [f32] {
        let cols = WIDTH.min(self.cols - p * WIDTH);
        let at = r / BLOCK * self.block_len() + p * BLOCK + r % BLOCK;
        &mut self.data[at].0[..cols]
    }

    /// Writes `values` to row `r`.
    pub(super) fn set_row(&mut self, r: usize, mut values: impl Iterator<Item = f32>) {
        for p in 0..self.panels() {
            self.part_mut(r, p).iter_mut().zip(&mut values).for_each(|(place, v)| *place = v);
        }
    }

    /// `len` rows per block, which `sum` computes from zeros, in the order of the blocks.
    pub(super) fn parts(&self, len: usize, sum: impl Fn(usize, &mut [Row]) + Sync) -> Vec<Row> {
        let mut parts = vec![Row::default(); self.blocks() * len];
        let shared = parts.par_chunks_mut(len).with_min_len(least(self.len())).enumerate();
        shared.for_each(|(b, part)| {
            vectorised(
                #[inline(always)]
                || sum(b, part),
            );
        });
        parts
    }
}

/// The sum of parts of `len` rows each.
pub(super) fn total(mut parts: Vec<Row>, len: usize) -> Vec<Row> {
    let (total, rest) = parts.split_at_mut(len);
    for part in rest.chunks_exact(len) {
        for (total, part) in total.iter_mut().zip(part) {
            add(total, part);
        }
    }
    parts.truncate(len);
    parts
}

/// Adds `row` to `sum`.
#[inline(always)]
pub(super) fn add(sum: &mut Row, row: &Row) {
    for (sum, v) in sum.0.iter_mut().zip(&row.0) {
        *sum += v;
    }
}

/// Copies row `r` of all panels of a block to `row`.
#[inline(always)]
pub(super) fn gather(block: &[Row], r: usize, row: &mut [f32]) {
    let (parts, _) = row.as_chunks_mut::<WIDTH>();
    for (panel, part) in block.chunks_exact(BLOCK).zip(parts) {
        *part = panel[r].0;
    }
}

/// Copies `row` to row `r` of all panels of a block; inverts [`gather`].
#[inline(always)]
pub(super) fn scatter(block: &mut [Row], r: usize, row: &[f32]) {
    let (parts, _) = row.as_chunks::<WIDTH>();
    for (panel, part) in block.chunks_exact_mut(BLOCK).zip(parts) {
        panel[r].0 = *part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_row_by_row_is_read_in_blocks() {
        let (rows, cols) = (2 * BLOCK + 5, WIDTH + 3);
        let mut batch = Batch::default();
        batch.resize(rows, cols);
        for r in 0..rows {
            batch.set_row(r, (0..cols).map(|c| (r * cols + c) as f32));
        }
        assert_eq!([batch.blocks(), batch.panels(), batch.rows_of(2)], [3, 2, 5]);
        let mut row = [f32::NAN; 2 * WIDTH];
        for r in 0..rows {
            gather(batch.block(r / BLOCK), r % BLOCK, &mut row);
            let expected = (0..cols).map(|c| (r * cols + c) as f32).chain([0.0; WIDTH - 3]);
            assert!(row.into_iter().eq(expected), "row {r}");
            assert!(batch.panel(r / BLOCK, 1)[r % BLOCK].0.iter().eq(&row[WIDTH..]));
        }
        let sums = batch.parts(2, |b, part| {
            for (p, sum) in part.iter_mut().enumerate() {
                for row in batch.panel(b, p) {
                    add(sum, row);
                }
            }
        });
        let sums = flat(&total(sums, 2), cols);
        let column = |c: usize| (0..rows).map(|r| (r * cols + c) as f32).sum::<f32>();
        assert_eq!(sums, (0..cols).map(column).collect::<Vec<_>>());
    }
}
