//! Matrix products for training, on row-major batches.
//!
//! Both factors are packed: the left one in blocks of some rows, the right one in panels of two
//! registers' width, so that the innermost loop reads both one after the other and keeps a block of
//! results in registers (Goto and van de Geijn, *Anatomy of high-performance matrix multiplication*,
//! ACM TOMS 2008). Threads share out rows of the result; what each number is the sum of does not
//! depend on them.

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
const ROWS: usize = 96;
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
    /// It is added to what is there.
    Sum,
}

/// Room for packed factors.
#[derive(Clone, Debug, Default)]
pub(super) struct Packs {
    left: Vec<f32>,
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
        let shared = m * k * n >= WORTH_SHARING;
        let least = |one: usize| if shared { one } else { usize::MAX };

        self.left.resize(m.div_ceil(height) * height * k, 0.0);
        let blocks = self.left.par_chunks_mut(height * k).with_min_len(least(8));
        blocks.enumerate().for_each(|(b, block)| {
            pack(block, height, (b * height, m), left.row, left.col, left.data);
        });
        self.right.resize(n.div_ceil(width) * width * k, 0.0);
        let panels = self.right.par_chunks_mut(width * k).with_min_len(least(4));
        panels.enumerate().for_each(|(p, panel)| {
            pack(panel, width, (p * width, n), right.col, right.row, right.data);
        });

        let (left, right) = (&self.left, &self.right);
        let chunks = result.par_chunks_mut(ROWS * n).with_min_len(least(1));
        chunks.enumerate().for_each(|(chunk, result)| {
            let left = &left[chunk * ROWS * k..];
            arch.dispatch(Rows { left, right, result, k, n, into });
        });
    }
}

/// Copies lines `first..end` of a matrix side by side: `packed[j * lines + i]` is entry `j` of line
/// `first + i`, zero beyond the last line.
fn pack(
    packed: &mut [f32],
    lines: usize,
    range: (usize, usize),
    line: usize,
    step: usize,
    data: &[f32],
) {
    // Copies of a length known beforehand need no call each.
    match lines {
        6 => pack_lines::<6>(packed, range, line, step, data),
        12 => pack_lines::<12>(packed, range, line, step, data),
        16 => pack_lines::<16>(packed, range, line, step, data),
        32 => pack_lines::<32>(packed, range, line, step, data),
        8 => pack_lines::<8>(packed, range, line, step, data),
        2 => pack_lines::<2>(packed, range, line, step, data),
        other => unreachable!("no instruction set has blocks of {other}"),
    }
}

fn pack_lines<const L: usize>(
    packed: &mut [f32],
    (first, end): (usize, usize),
    line: usize,
    step: usize,
    data: &[f32],
) {
    let there = L.min(end - first);
    let (packed, _) = packed.as_chunks_mut::<L>();
    let data = &data[first * line..];
    if there < L {
        for (j, out) in packed.iter_mut().enumerate() {
            *out = std::array::from_fn(|i| if i < there { data[i * line + j * step] } else { 0.0 });
        }
    } else if line == 1 {
        for (j, out) in packed.iter_mut().enumerate() {
            *out = *data[j * step..].first_chunk().expect("as many lines as a block has");
        }
    } else {
        let lines: [&[f32]; L] = std::array::from_fn(|i| &data[i * line..]);
        for (j, out) in packed.iter_mut().enumerate() {
            *out = std::array::from_fn(|i| lines[i][j * step]);
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

/// Some rows of the result.
struct Rows<'a> {
    left: &'a [f32],
    right: &'a [f32],
    result: &'a mut [f32],
    k: usize,
    n: usize,
    into: Into<'a>,
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
        let Self { left, right, result, k, n, into } = self;
        let width = REGISTERS * S::F32_LANES;
        for from in (0..k).step_by(DEPTH) {
            let to = (from + DEPTH).min(k);
            let into = if from == 0 { into } else { Into::Sum };
            for (p, panel) in right.chunks_exact(width * k).enumerate() {
                let panel = &panel[from * width..to * width];
                let (panel, _) = S::as_simd_f32s(panel);
                let (begin, end) = (p * width, (p * width + width).min(n));
                let bias = match into {
                    Into::Biased(bias) => Some(&bias[begin..end]),
                    _ => None,
                };
                for (block, rows) in left.chunks_exact(H * k).zip(result.chunks_mut(H * n)) {
                    let block = &block[from * H..to * H];
                    let sums = tile::<S, H>(simd, block, panel, bias);
                    for (sums, row) in sums.iter().zip(rows.chunks_exact_mut(n)) {
                        store(simd, sums, &mut row[begin..end], matches!(into, Into::Sum));
                    }
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

    /// Every shape of edge, each factor as it is and transposed, against sums in double precision.
    #[test]
    fn products_are_those_of_the_definition() {
        let mut packs = Packs::default();
        for [m, k, n] in [[1, 1, 1], [7, 3, 5], [12, 2, 4], [97, 300, 33], [130, 64, 92]] {
            for transpose in [[false, false], [true, false], [false, true]] {
                let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
                let left =
                    if transpose[0] { View::rows(&a, m).transposed() } else { View::rows(&a, k) };
                let right =
                    if transpose[1] { View::rows(&b, k).transposed() } else { View::rows(&b, n) };
                let bias = numbers(n, 3);
                let before = numbers(m * n, 4);
                for into in [Into::Place, Into::Biased(&bias), Into::Sum] {
                    let mut result = before.clone();
                    packs.product([m, k, n], left, right, &mut result, into);
                    for (at, value) in result.iter().enumerate() {
                        let (i, j) = (at / n, at % n);
                        let start = match into {
                            Into::Place => 0.0,
                            Into::Biased(bias) => f64::from(bias[j]),
                            Into::Sum => f64::from(before[at]),
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
