//! A matrix of weights, packed as the right factor of a product.

use rayon::prelude::*;

use crate::cpu::{
    kernel::WIDTH,
    training::batch::{Row, least},
};

/// Entries of a line that are transposed together.
const STRETCH: usize = 8;

/// A matrix, `[depth, cols]`, in row-major panels. Rows are completed to a multiple of [`WIDTH`] and
/// columns to a whole panel with zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct Factor {
    data: Vec<Row>,
    pub(super) depth: usize,
    pub(super) cols: usize,
}

impl Factor {
    /// Packs `matrix`, row-major with `cols` columns.
    pub(super) fn pack(&mut self, matrix: &[f32], cols: usize) {
        self.panels(matrix.len() / cols, cols, |begin, panel| {
            for (out, row) in panel.iter_mut().zip(matrix.chunks_exact(cols)) {
                match row[begin..].first_chunk() {
                    Some(row) => out.0 = *row,
                    None => out.0[..cols - begin].copy_from_slice(&row[begin..]),
                }
            }
        });
    }

    /// Packs the transpose of `matrix`, row-major with `depth` columns.
    pub(super) fn pack_transposed(&mut self, matrix: &[f32], depth: usize) {
        self.panels(depth, matrix.len() / depth, |begin, panel| {
            let lines = &matrix[begin * depth..];
            let lines = &lines[..lines.len().min(WIDTH * depth)];
            let width = lines.len() / depth;
            if width < WIDTH {
                for (i, line) in lines.chunks_exact(depth).enumerate() {
                    panel.iter_mut().zip(line).for_each(|(out, v)| out.0[i] = *v);
                }
                return;
            }
            // A few entries of all lines together, so that they stay in registers.
            let (stretches, end) = panel[..depth].as_chunks_mut::<STRETCH>();
            for (s, out) in stretches.iter_mut().enumerate() {
                let from: [&[f32; STRETCH]; WIDTH] = std::array::from_fn(|i| {
                    lines[i * depth + s * STRETCH..].first_chunk().expect("a stretch of the line")
                });
                for (k, out) in out.iter_mut().enumerate() {
                    out.0 = std::array::from_fn(|i| from[i][k]);
                }
            }
            let done = depth - end.len();
            for (k, out) in end.iter_mut().enumerate() {
                out.0 = std::array::from_fn(|i| lines[i * depth + done + k]);
            }
        });
    }

    /// Sets the shape and calls `fill` with the first column and the rows of each panel. `fill` must write
    /// every entry that may be nonzero.
    fn panels(&mut self, depth: usize, cols: usize, fill: impl Fn(usize, &mut [Row]) + Sync) {
        if [self.depth, self.cols] != [depth, cols] {
            self.data.clear();
        }
        (self.depth, self.cols) = (depth, cols);
        let len = depth.next_multiple_of(WIDTH);
        self.data.resize(len * cols.div_ceil(WIDTH), Row::default());
        let panels = self.data.par_chunks_mut(len).with_min_len(least(depth * cols)).enumerate();
        panels.for_each(|(p, panel)| fill(p * WIDTH, panel));
    }

    /// Rows of panel `p`.
    pub(super) fn panel(&self, p: usize) -> &[Row] {
        let len = self.depth.next_multiple_of(WIDTH);
        &self.data[p * len..][..len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_matrix_is_the_matrix_with_zeros_around_it() {
        for [depth, cols] in [[1, 1], [16, 16], [19, 37], [40, 33]] {
            let entry = |k: usize, j: usize| (k * cols + j + 1) as f32;
            let rows: Vec<f32> =
                (0..depth).flat_map(|k| (0..cols).map(move |j| entry(k, j))).collect();
            let columns: Vec<f32> =
                (0..cols).flat_map(|j| (0..depth).map(move |k| entry(k, j))).collect();
            let mut factors = [Factor::default(), Factor::default()];
            // Packing again, in another shape, leaves nothing behind.
            for factor in &mut factors {
                factor.pack(&[f32::NAN; 40 * 48], 48);
            }
            factors[0].pack(&rows, cols);
            factors[1].pack_transposed(&columns, depth);
            for factor in &factors {
                for p in 0..cols.div_ceil(WIDTH) {
                    for (k, row) in factor.panel(p).iter().enumerate() {
                        for (j, v) in (p * WIDTH..).zip(row.0) {
                            let expected = if k < depth && j < cols { entry(k, j) } else { 0.0 };
                            assert!(
                                v.to_bits() == expected.to_bits(),
                                "{depth} x {cols}: {k}, {j}"
                            );
                        }
                    }
                }
            }
        }
    }
}
