//! Matrix products for training, on row-major batches.
//!
//! Both factors are packed: the left one in blocks of some rows, the right one in panels of two
//! registers' width, so that the innermost loop reads both one after the other and keeps a block of
//! results in registers (Goto and van de Geijn, *Anatomy of high-performance matrix multiplication*,
//! ACM TOMS 2008). Threads share out rows of the result, and pack their rows of the left factor
//! themselves, a little at a time while it is in cache; what each number is the sum of does not depend
//! on them.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::engine::matrix::accumulate;

/// Registers in a row of a panel.
const REGISTERS: usize = 2;
/// Widest panel: two registers of sixteen lanes.
const WIDEST: usize = 32;
/// Terms that are summed up before results go to memory; a panel of so many rows stays in the
/// innermost cache.
const DEPTH: usize = 256;
/// Rows of the result that a thread takes at a time, a multiple of every block's height.
const ROWS: usize = 48;
/// Entries of a line that are packed at a time.
const STRETCH: usize = 8;
/// Multiplications below which a second thread costs more than it brings.
const WORTH_SHARING: usize = 1 << 18;

/// A matrix in memory: entry (i, j) is `data[i * row + j * col]`.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    data: &'a [f32],
    row: usize,
    col: usize,
}

impl<'a> View<'a> {
    /// A matrix of `cols` columns, row by row.
    pub(super) fn rows(data: &'a [f32], cols: usize) -> Self {
        Self { data, row: cols, col: 1 }
    }

    /// Its transpose.
    pub(super) fn transposed(self) -> Self {
        Self { row: self.col, col: self.row, ..self }
    }
}

/// What becomes of a product.
#[derive(Clone, Copy)]
pub(super) enum Into<'a> {
    /// It replaces what is there.
    Place,
    /// It replaces what is there, with this added to every row.
    Biased(&'a [f32]),
    /// It is added to what is there, with this added to every row.
    Sum(&'a [f32]),
}

/// Room for the packed right factor.
#[derive(Clone, Debug, Default)]
pub(super) struct Packs {
    right: Vec<f32>,
}

impl Packs {
    /// Puts `left` (m × k) times `right` (k × n) into `result` (m × n, row by row).
    pub(super) fn product(
        &mut self,
        [m, k, n]: [usize; 3],
        left: View<'_>,
        right: View<'_>,
        result: &mut [f32],
        into: Into<'_>,
    ) {
        assert!(k > 0 && result.len() == m * n, "a product of {m} × {k} and {k} × {n}");
        let arch = Arch::new();
        let Sizes { height, width } = arch.dispatch(Ask);
        let least = if m * k * n >= WORTH_SHARING { 1 } else { usize::MAX };

        // Slices of the depth, in each one panel after the other.
        let across = n.div_ceil(width) * width;
        self.right.resize(across * k, 0.0);
        let slices = self.right.par_chunks_mut(DEPTH * across).with_min_len(least);
        slices.enumerate().for_each(|(s, slice)| {
            pack(slice, width, 0..n, s * DEPTH, right.transposed());
        });

        let right = &self.right;
        let chunks = result.par_chunks_mut(ROWS * n).with_min_len(least);
        chunks.enumerate().for_each_init(Vec::new, |packed, (chunk, result)| {
            let rows = chunk * ROWS..chunk * ROWS + result.len() / n;
            for (s, right) in right.chunks(DEPTH * across).enumerate() {
                let depth = right.len() / across;
                packed.resize(rows.len().div_ceil(height) * height * depth, 0.0);
                pack(packed, height, rows.clone(), s * DEPTH, left);
                let (from, add) = match into {
                    _ if s > 0 => (None, true),
                    Into::Place => (None, false),
                    Into::Biased(bias) => (Some(bias), false),
                    Into::Sum(bias) => (Some(bias), true),
                };
                arch.dispatch(Rows { left: packed, right, result, depth, n, from, add });
            }
        });
    }
}

/// Copies `lines` of a matrix side by side, `width` to a block, as many entries of each as there is room
/// for: in a block, `[j * width + i]` is entry `begin + j` of its line `i`, zero beyond the last line.
fn pack(packed: &mut [f32], width: usize, lines: Range<usize>, begin: usize, matrix: View<'_>) {
    let View { data, row, col } = matrix;
    let matrix = View { data: &data[lines.start * row + begin * col..], ..matrix };
    // Copies of a length known beforehand need no call each.
    match width {
        6 => pack_lines::<6, 6>(packed, lines.len(), matrix),
        12 => pack_lines::<12, 6>(packed, lines.len(), matrix),
        16 => pack_lines::<16, 8>(packed, lines.len(), matrix),
        32 => pack_lines::<32, 8>(packed, lines.len(), matrix),
        8 => pack_lines::<8, 8>(packed, lines.len(), matrix),
        2 => pack_lines::<2, 2>(packed, lines.len(), matrix),
        other => unreachable!("no instruction set has blocks of {other}"),
    }
}

/// Blocks of `L` lines, of which `G` are read together where they do not lie side by side.
fn pack_lines<const L: usize, const G: usize>(packed: &mut [f32], lines: usize, matrix: View<'_>) {
    let View { data, row, col } = matrix;
    let (packed, _) = packed.as_chunks_mut::<L>();
    let depth = packed.len() / lines.div_ceil(L);
    let (whole, rest) = packed.split_at_mut(lines / L * depth);
    if row == 1 {
        // Some entries of all blocks, then the next.
        for begin in (0..depth).step_by(STRETCH) {
            let end = (begin + STRETCH).min(depth);
            for (b, block) in whole.chunks_exact_mut(depth).enumerate() {
                for (j, out) in (begin..end).zip(&mut block[begin..end]) {
                    *out = *data[j * col + b * L..].first_chunk().expect("a block's lines");
                }
            }
        }
    } else {
        assert!(col == 1, "a matrix in memory row by row, or its transpose");
        for (block, data) in whole.chunks_exact_mut(depth).zip(data.chunks(L * row)) {
            for first in (0..L).step_by(G) {
                let lines: [&[f32]; G] =
                    std::array::from_fn(|i| &data[(first + i) * row..][..depth]);
                transpose(block, first, lines);
            }
        }
    }
    let first = lines / L * L;
    for (j, out) in rest.iter_mut().enumerate() {
        let entry = |line: usize| if line < lines { data[line * row + j * col] } else { 0.0 };
        *out = std::array::from_fn(|i| entry(first + i));
    }
}

/// Puts entry `j` of the lines into `block[j][first..]`.
fn transpose<const L: usize, const G: usize>(
    block: &mut [[f32; L]],
    first: usize,
    lines: [&[f32]; G],
) {
    let (stretches, end) = block.as_chunks_mut::<STRETCH>();
    for (s, stretch) in stretches.iter_mut().enumerate() {
        let from: [&[f32; STRETCH]; G] = std::array::from_fn(|i| {
            lines[i][s * STRETCH..].first_chunk().expect("a stretch of the line")
        });
        for (j, out) in stretch.iter_mut().enumerate() {
            let out: &mut [f32; G] = (&mut out[first..first + G]).try_into().expect("G lines");
            *out = std::array::from_fn(|i| from[i][j]);
        }
    }
    let done = lines[0].len() - end.len();
    for (j, out) in end.iter_mut().enumerate() {
        for (out, line) in out[first..].iter_mut().zip(lines) {
            *out = line[done + j];
        }
    }
}

/// Height of a block and width of a panel.
struct Sizes {
    height: usize,
    width: usize,
}

/// Asks for the sizes of the instruction set.
struct Ask;

impl WithSimd for Ask {
    type Output = Sizes;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sizes {
        // 24 of 32 registers hold results, or 12 of 16.
        let height = if S::F32_LANES >= 16 { 12 } else { 6 };
        Sizes { height, width: REGISTERS * S::F32_LANES }
    }
}

/// Some rows of the result, over a slice of the depth.
struct Rows<'a> {
    left: &'a [f32],
    right: &'a [f32],
    result: &'a mut [f32],
    depth: usize,
    n: usize,
    /// What each row of sums starts from.
    from: Option<&'a [f32]>,
    /// Whether the sums are added to what is there.
    add: bool,
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::F32_LANES >= 16 { self.run::<S, 12>(simd) } else { self.run::<S, 6>(simd) }
    }
}

impl Rows<'_> {
    #[inline(always)]
    fn run<S: Simd, const H: usize>(self, simd: S) {
        let Self { left, right, result, depth, n, from, add } = self;
        let width = REGISTERS * S::F32_LANES;
        for (p, panel) in right.chunks_exact(width * depth).enumerate() {
            let (panel, _) = S::as_simd_f32s(panel);
            let (begin, end) = (p * width, (p * width + width).min(n));
            let from = from.map(|from| &from[begin..end]);
            for (block, rows) in left.chunks_exact(H * depth).zip(result.chunks_mut(H * n)) {
                let sums = tile::<S, H>(simd, block, panel, from);
                for (sums, row) in sums.iter().zip(rows.chunks_exact_mut(n)) {
                    store(simd, sums, &mut row[begin..end], add);
                }
            }
        }
    }
}

/// One block of results, from the bias if there is one.
#[inline(always)]
fn tile<S: Simd, const H: usize>(
    simd: S,
    block: &[f32],
    panel: &[S::f32s],
    bias: Option<&[f32]>,
) -> [[S::f32s; REGISTERS]; H] {
    let mut start = [simd.splat_f32s(0.0); REGISTERS];
    if let Some(bias) = bias {
        let mut padded = [0.0; WIDEST];
        padded[..bias.len()].copy_from_slice(bias);
        let (bias, _) = S::as_simd_f32s(&padded);
        start.copy_from_slice(&bias[..REGISTERS]);
    }
    let mut sums = [start; H];
    let rows = panel.chunks_exact(REGISTERS).map(|x| [x[0], x[1]]);
    let weights = block.chunks_exact(H).map(|w| w.try_into().expect("a block's weights"));
    accumulate(simd, &mut sums, rows.zip(weights));
    sums
}

/// Writes one row of a block; at the right edge it is wider than what is left.
#[inline(always)]
fn store<S: Simd>(simd: S, sums: &[S::f32s; REGISTERS], row: &mut [f32], add: bool) {
    if row.len() == REGISTERS * S::F32_LANES {
        let (row, _) = S::as_mut_simd_f32s(row);
        for (y, sum) in row.iter_mut().zip(sums) {
            *y = if add { simd.add_f32s(*y, *sum) } else { *sum };
        }
    } else {
        let mut padded = [0.0; WIDEST];
        let (whole, _) = S::as_mut_simd_f32s(&mut padded);
        whole[..REGISTERS].copy_from_slice(sums);
        for (y, sum) in row.iter_mut().zip(&padded) {
            *y = if add { *y + sum } else { *sum };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 37 + seed * 101 + 11) % 97) as f32 / 97.0 - 0.5).collect()
    }

    /// Blocks of every instruction set, whichever this machine has.
    #[test]
    fn packed_lines_stand_side_by_side() {
        let (rows, cols) = (70, 67);
        let data = numbers(rows * cols, 5);
        for view in [View::rows(&data, cols), View::rows(&data, cols).transposed()] {
            for width in [2, 6, 8, 12, 16, 32] {
                for (lines, begin, depth) in [(0..67, 0, 67), (5..40, 3, 17), (3..4, 0, 1)] {
                    let mut packed = vec![f32::NAN; lines.len().div_ceil(width) * width * depth];
                    pack(&mut packed, width, lines.clone(), begin, view);
                    for (at, value) in packed.iter().enumerate() {
                        let (block, j, i) = (at / (width * depth), at / width % depth, at % width);
                        let line = lines.start + block * width + i;
                        let place = line * view.row + (begin + j) * view.col;
                        let expected = if line < lines.end { data[place] } else { 0.0 };
                        assert!(value.to_bits() == expected.to_bits(), "{width} {lines:?} {at}");
                    }
                }
            }
        }
    }

    /// Every shape of edge, each factor as it is and transposed, against sums in double precision.
    #[test]
    fn products_are_those_of_the_definition() {
        let mut packs = Packs::default();
        for [m, k, n] in
            [[1, 1, 1], [30, 1, 70], [7, 3, 5], [12, 2, 4], [97, 300, 33], [130, 64, 92]]
        {
            for transpose in [[false, false], [true, false], [false, true]] {
                let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
                let left =
                    if transpose[0] { View::rows(&a, m).transposed() } else { View::rows(&a, k) };
                let right =
                    if transpose[1] { View::rows(&b, k).transposed() } else { View::rows(&b, n) };
                let bias = numbers(n, 3);
                let before = numbers(m * n, 4);
                for into in [Into::Place, Into::Biased(&bias), Into::Sum(&bias)] {
                    let mut result = before.clone();
                    packs.product([m, k, n], left, right, &mut result, into);
                    for (at, value) in result.iter().enumerate() {
                        let (i, j) = (at / n, at % n);
                        let start = match into {
                            Into::Place => 0.0,
                            Into::Biased(bias) => f64::from(bias[j]),
                            Into::Sum(bias) => f64::from(before[at]) + f64::from(bias[j]),
                        };
                        let exact: f64 = (0..k)
                            .map(|t| {
                                f64::from(a[i * left.row + t * left.col])
                                    * f64::from(b[t * right.row + j * right.col])
                            })
                            .sum();
                        let error = (f64::from(*value) - start - exact).abs();
                        // Each rounding is below 6e-8 of a partial sum of at most k / 4.
                        assert!(error < 1e-6 + 1e-7 * k as f64, "{m} {k} {n} {at}: {error:e}");
                    }
                }
            }
        }
    }
}
