//! Matrix products of a training step.
//!
//! Both keep a block of results in registers while they read a few columns of one factor and a
//! register's width of the other (Goto and van de Geijn, *Anatomy of high-performance matrix
//! multiplication*, ACM TOMS 2008); the factors lie so that nothing is copied for it. What each number
//! is the sum of does not depend on the threads.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{
    batch::{BLOCK, Batch, Row, WIDTH, padded},
    factor::Factor,
};

/// Multiplications below which a second thread costs more than it brings.
const WORTH_SHARING: usize = 1 << 18;
/// Blocks of rows that [`product_of_batches`] sums up before results go to memory; the panels of both
/// factors stay in the inner caches.
const SLICE: usize = 6;
/// Panels of the left factor that a thread takes at a time there, at most.
const PANELS: usize = 4;
/// Rows at a time there, of which the loop's end is foreseen.
const UNROLLED: usize = 8;

/// Registers of a row of panels: two at a time, each its panel and its place in it.
type Pair = [(usize, usize); 2];
/// Sums of `H` rows.
type Sums<S, const H: usize> = [[<S as Simd>::f32s; 2]; H];

/// Fewest parts that a thread takes of a product of so many multiplications.
fn least(multiplications: usize) -> usize {
    if multiplications < WORTH_SHARING { usize::MAX } else { 1 }
}

/// Puts `left` times `right` plus `bias`, and plus `addend` if there is one, into `result`.
pub(super) fn product(
    left: &Batch,
    right: &Factor,
    bias: Option<&[f32]>,
    addend: Option<&Batch>,
    result: &mut Batch,
) {
    assert_eq!(left.cols(), right.depth, "columns of the left factor, rows of the right one");
    let arch = Arch::new();
    let bias = bias.map(padded);
    result.resize(left.rows(), right.cols);
    let least = least(left.len() * right.cols);
    let blocks = result.par_blocks_mut().with_min_len(least).enumerate();
    blocks.for_each(|(b, result)| {
        arch.dispatch(Rows {
            left: left.block(b),
            count: left.rows_of(b),
            right,
            bias: bias.as_deref(),
            addend: addend.map(|addend| addend.block(b)),
            result,
        });
    });
}

/// Puts the transpose of `left` times `right`, of as many rows, into `result`, row by row.
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

/// The registers of `panels` panels, side by side; the last stands twice where it has no neighbour.
#[inline(always)]
fn pairs<S: Simd>(panels: usize) -> impl Iterator<Item = Pair> {
    let each = WIDTH / S::F32_LANES;
    let last = panels * each - 1;
    let place = move |register: usize| (register / each, register % each);
    (0..=last).step_by(2).map(move |first| [place(first), place(last.min(first + 1))])
}

#[inline(always)]
fn register<S: Simd>(row: &Row, place: usize) -> S::f32s {
    S::as_simd_f32s(&row.0).0[place]
}

/// Adds the products of `weights` and of registers to sums.
#[inline(always)]
fn accumulate<S: Simd, const H: usize>(
    simd: S,
    sums: &mut Sums<S, H>,
    weights: [f32; H],
    x: [S::f32s; 2],
) {
    for (sums, weight) in sums.iter_mut().zip(weights) {
        let weight = simd.splat_f32s(weight);
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = simd.mul_add_e_f32s(weight, x, *sum);
        }
    }
}

/// A block of rows of [`product`].
struct Rows<'a> {
    left: &'a [Row],
    count: usize,
    right: &'a Factor,
    bias: Option<&'a [Row]>,
    addend: Option<&'a [Row]>,
    result: &'a mut [Row],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // 24 of 32 registers hold sums, or 12 of 16.
        if S::F32_LANES == 8 { self.run::<S, 6>(simd) } else { self.run::<S, 12>(simd) }
    }
}

impl Rows<'_> {
    #[inline(always)]
    fn run<S: Simd, const H: usize>(self, simd: S) {
        let Self { left, count, right, bias, addend, result } = self;
        for pair in pairs::<S>(right.cols.div_ceil(WIDTH)) {
            let start = pair.map(|(panel, place)| {
                bias.map_or(simd.splat_f32s(0.0), |bias| register::<S>(&bias[panel], place))
            });
            let right = pair.map(|(panel, _)| right.panel(panel));
            let places = pair.map(|(_, place)| place);
            for first in (0..count).step_by(H) {
                let sums = tile::<S, H>(simd, start, &left[first..], right, places);
                for (i, sums) in sums.iter().enumerate() {
                    for ((panel, place), sum) in pair.into_iter().zip(sums) {
                        let at = panel * BLOCK + first + i;
                        let sum = addend.map_or(*sum, |addend| {
                            simd.add_f32s(*sum, register::<S>(&addend[at], place))
                        });
                        S::as_mut_simd_f32s(&mut result[at].0).0[place] = sum;
                    }
                }
            }
        }
    }
}

/// `H` rows of two registers of results, from `start`.
#[inline(always)]
fn tile<S: Simd, const H: usize>(
    simd: S,
    start: [S::f32s; 2],
    left: &[Row],
    [first, second]: [&[Row]; 2],
    [a, b]: [usize; 2],
) -> Sums<S, H> {
    let mut sums = [start; H];
    let right = first.as_chunks::<WIDTH>().0.iter().zip(second.as_chunks::<WIDTH>().0);
    for (panel, (first, second)) in right.enumerate() {
        let rows: &[Row; H] = left[panel * BLOCK..].first_chunk().expect("rows of a block");
        for k in 0..WIDTH {
            let x = [register::<S>(&first[k], a), register::<S>(&second[k], b)];
            accumulate(simd, &mut sums, std::array::from_fn(|i| rows[i].0[k]), x);
        }
    }
    sums
}

/// Some rows of [`product_of_batches`], those of some columns of the left factor.
struct Columns<'a> {
    left: &'a Batch,
    /// The first of the left factor's panels.
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
                    accumulate(simd, &mut sums, std::array::from_fn(|i| left[k].0[C + i]), x);
                }
            }
            for ((left, first), second) in left.1.iter().zip(first.1).zip(second.1) {
                let x = [register::<S>(first, a), register::<S>(second, b)];
                accumulate(simd, &mut sums, std::array::from_fn(|i| left.0[C + i]), x);
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

/// Writes a register to `row[begin..]`; at the right edge it may be wider than what is left.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 37 + seed * 101 + 11) % 97) as f32 / 97.0 - 0.5).collect()
    }

    fn batch(values: &[f32], cols: usize) -> Batch {
        let mut batch = Batch::default();
        batch.resize(values.len() / cols, cols);
        for (r, row) in values.chunks_exact(cols).enumerate() {
            batch.set_row(r, row.iter().copied());
        }
        batch
    }

    fn rows(batch: &Batch) -> Vec<f32> {
        let row = |r: usize| {
            let row = move |p| batch.panel(r / BLOCK, p)[r % BLOCK].0;
            (0..batch.panels()).flat_map(row).take(batch.cols())
        };
        (0..batch.rows()).flat_map(row).collect()
    }

    /// Each rounding is below 6e-8 of a partial sum of at most k / 4.
    fn close(ours: f32, terms: impl Iterator<Item = f64>, k: usize) -> bool {
        (f64::from(ours) - terms.sum::<f64>()).abs() < 1e-6 + 1e-7 * k as f64
    }

    const SHAPES: [[usize; 3]; 7] = [
        [1, 1, 1],
        [30, 1, 70],
        [7, 3, 5],
        [12, 2, 4],
        [97, 300, 33],
        [130, 64, 92],
        [310, 16, 16],
    ];

    /// Every shape of edge, against sums in double precision.
    #[test]
    fn products_with_weights_are_those_of_the_definition() {
        for [m, k, n] in SHAPES {
            let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
            let (bias, before) = (numbers(n, 3), numbers(m * n, 4));
            let (left, addend) = (batch(&a, k), batch(&before, n));
            let mut right = Factor::default();
            right.pack(&b, n);
            for bias in [None, Some(&*bias)] {
                for addend in [None, Some(&addend)] {
                    let mut result = Batch::default();
                    product(&left, &right, bias, addend, &mut result);
                    assert!(
                        result.panel(0, result.panels() - 1)[0].0[(n - 1) % WIDTH + 1..]
                            .iter()
                            .all(|v| *v == 0.0)
                    );
                    for (at, value) in rows(&result).into_iter().enumerate() {
                        let (i, j) = (at / n, at % n);
                        let start =
                            bias.map_or(0.0, |bias| bias[j]) + addend.map_or(0.0, |_| before[at]);
                        let terms =
                            (0..k).map(|t| f64::from(a[i * k + t]) * f64::from(b[t * n + j]));
                        let terms = terms.chain([f64::from(start)]);
                        assert!(close(value, terms, k), "{m} x {k} x {n}: {i}, {j}");
                    }
                }
            }
        }
    }

    #[test]
    fn products_of_batches_are_those_of_the_definition() {
        for [k, m, n] in SHAPES {
            let (a, b) = (numbers(k * m, 1), numbers(k * n, 2));
            let mut result = vec![f32::NAN; m * n];
            product_of_batches(&batch(&a, m), &batch(&b, n), &mut result);
            for (at, value) in result.into_iter().enumerate() {
                let (i, j) = (at / n, at % n);
                let terms = (0..k).map(|t| f64::from(a[t * m + i]) * f64::from(b[t * n + j]));
                assert!(close(value, terms, k), "{m} x {k} x {n}: {i}, {j}");
            }
        }
    }
}
