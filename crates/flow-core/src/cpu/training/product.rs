//! The product of a batch with a matrix of weights.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::cpu::{
    kernel::{WIDTH, multiply_add},
    training::{
        batch::{BLOCK, Batch, Row, padded},
        factor::Factor,
        registers::{Sums, least, pairs, register},
    },
};

/// Writes `left` times `right`, plus `bias` and `addend` if given, to `result`.
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

/// `H` rows of two registers of results; the sums begin with `start`.
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
            multiply_add::<S, H, 2>(simd, &mut sums, std::array::from_fn(|i| rows[i].0[k]), x);
        }
    }
    sums
}
