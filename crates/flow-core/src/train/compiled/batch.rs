//! A batch of rows as a training step computes with it.
//!
//! Rows come in blocks, and in a block the columns in panels, row by row. A batch that lies so serves
//! as the left factor of a product, as the transposed left one and as the right one without being
//! packed for it; threads share out blocks; and the passes between products keep what belongs to the
//! columns of a panel in registers.
//!
//! Sums over rows are taken block by block and then over the blocks, whose size is fixed, so that they
//! do not depend on the number of threads.

use rayon::prelude::*;

use super::vectorised;

/// Columns of a panel: one register of sixteen lanes, or two of eight.
pub(super) const WIDTH: usize = 16;
/// Rows of a block, a multiple of the rows that a product takes at a time.
pub(super) const BLOCK: usize = 48;
/// Numbers below which a second thread costs more than it brings.
const WORTH_SHARING: usize = 1 << 14;

/// Fewest blocks that a thread takes where there are `numbers` numbers in all.
pub(super) fn least(numbers: usize) -> usize {
    if numbers < WORTH_SHARING { usize::MAX } else { 1 }
}

/// A row of a panel; it fills a line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Row(pub(super) [f32; WIDTH]);

/// A number for each column as rows of panels, zero beyond the last.
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

/// The numbers of `len` columns, of rows of panels.
pub(super) fn flat(rows: &[Row], len: usize) -> Vec<f32> {
    rows.iter().flat_map(|row| row.0).take(len).collect()
}

/// A batch, `[rows, cols]`. Columns beyond the last, up to a whole panel, are zero; rows beyond the last,
/// up to a whole block, mean nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    data: Vec<Row>,
    rows: usize,
    cols: usize,
}

impl Batch {
    /// Makes room for `rows` rows of `cols` numbers, which are arbitrary until they are written.
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

    /// Numbers in all.
    pub(super) fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// Panels side by side.
    pub(super) fn panels(&self) -> usize {
        self.cols.div_ceil(WIDTH)
    }

    /// Rows of panels in a block.
    fn block_len(&self) -> usize {
        self.panels() * BLOCK
    }

    /// Blocks one after the other.
    pub(super) fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK)
    }

    /// Block `b`: [`BLOCK`] rows of one panel after the other.
    pub(super) fn block(&self, b: usize) -> &[Row] {
        &self.data[b * self.block_len()..][..self.block_len()]
    }

    /// Rows of block `b` that are not beyond the last.
    pub(super) fn rows_of(&self, b: usize) -> usize {
        BLOCK.min(self.rows - b * BLOCK)
    }

    /// Those rows of panel `p` of block `b`.
    pub(super) fn panel(&self, b: usize, p: usize) -> &[Row] {
        &self.data[b * self.block_len() + p * BLOCK..][..self.rows_of(b)]
    }

    /// The blocks, for threads to share out.
    pub(super) fn par_blocks(&self) -> rayon::slice::Chunks<'_, Row> {
        self.data.par_chunks(self.block_len())
    }

    /// The blocks, for threads to share out and to write to.
    pub(super) fn par_blocks_mut(&mut self) -> rayon::slice::ChunksMut<'_, Row> {
        let len = self.block_len();
        self.data.par_chunks_mut(len)
    }

    /// Columns of panel `p` in row `r`, to be written to.
    pub(super) fn part_mut(&mut self, r: usize, p: usize) -> &mut [f32] {
        let cols = WIDTH.min(self.cols - p * WIDTH);
        let at = r / BLOCK * self.block_len() + p * BLOCK + r % BLOCK;
        &mut self.data[at].0[..cols]
    }

    /// Puts `values` into row `r`.
    pub(super) fn set_row(&mut self, r: usize, mut values: impl Iterator<Item = f32>) {
        for p in 0..self.panels() {
            self.part_mut(r, p).iter_mut().zip(&mut values).for_each(|(place, v)| *place = v);
        }
    }

    /// What `sum` makes of each block from `len` rows of zeros, one after the other.
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

/// Sums over parts of `len` rows each.
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

/// Copies row `r` of a block's panels, side by side.
#[inline(always)]
pub(super) fn gather(block: &[Row], r: usize, row: &mut [f32]) {
    let (parts, _) = row.as_chunks_mut::<WIDTH>();
    for (panel, part) in block.chunks_exact(BLOCK).zip(parts) {
        *part = panel[r].0;
    }
}

/// Writes row `r` of a block's panels; the way back of [`gather`].
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
