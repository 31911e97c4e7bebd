//! The arithmetic on lanes, the neighbouring samples of a block.
//!
//! The triangular product of the densities and the scalar products of the second moments are written in
//! vector registers; the rest is left to the compiler.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the set dispatched to"
)]

use pulp::Simd;

/// Samples side by side in one block.
pub(super) const LANES: usize = 64;
/// Registers of a density's lane that are summed up together.
const HELD: usize = 4;
/// Running sums of a scalar product.
const RUNNING: usize = 2;

/// One coordinate of the samples of a block.
pub(super) type Lane = [f64; LANES];

#[inline(always)]
pub(super) fn lane(values: &[f64], index: usize) -> &Lane {
    values[index * LANES..][..LANES].try_into().expect("a lane has LANES entries")
}

#[inline(always)]
pub(super) fn lane_mut(values: &mut [f64], index: usize) -> &mut Lane {
    (&mut values[index * LANES..][..LANES]).try_into().expect("a lane has LANES entries")
}

/// Scalar products of `a` with some lanes, in vector registers.
#[inline(always)]
pub(super) fn dots<S: Simd, const T: usize>(simd: S, a: &Lane, b: [&Lane; T]) -> [f64; T] {
    let parts = |lane| S::as_simd_f64s(lane).0.as_chunks::<RUNNING>().0;
    let b = b.map(|b| parts(b));
    let mut sums = [[simd.splat_f64s(0.0); RUNNING]; T];
    for (i, a) in parts(a).iter().enumerate() {
        for t in 0..T {
            for r in 0..RUNNING {
                sums[t][r] = simd.mul_add_e_f64s(a[r], b[t][i][r], sums[t][r]);
            }
        }
    }
    sums.map(|[first, second]| simd.reduce_sum_f64s(simd.add_f64s(first, second)))
}

/// Sum with eight running sums.
#[inline(always)]
pub(super) fn total(a: &Lane) -> f64 {
    let mut sums = [0.0; 8];
    for a in a.as_chunks::<8>().0 {
        for lane in 0..8 {
            sums[lane] += a[lane];
        }
    }
    sums.iter().sum()
}

/// Squared norms of the product of a lower triangle, row by row, with each sample of a block.
#[inline(always)]
pub(super) fn squares<S: Simd>(simd: S, triangle: &[f64], centred: &[f64]) -> Lane {
    let mut squares = [0.0; LANES];
    let (parts, _) = S::as_mut_simd_f64s(&mut squares);
    for (p, square) in parts.as_chunks_mut::<HELD>().0.iter_mut().enumerate() {
        let mut sum = [simd.splat_f64s(0.0); HELD];
        let mut rest = triangle;
        for i in 1..=centred.len() / LANES {
            let (row, below) = rest.split_at(i);
            rest = below;
            let mut held = [simd.splat_f64s(0.0); HELD];
            for (entry, lane) in row.iter().zip(centred.chunks_exact(LANES)) {
                let lane = S::as_simd_f64s(lane).0.as_chunks::<HELD>().0[p];
                let entry = simd.splat_f64s(*entry);
                for h in 0..HELD {
                    held[h] = simd.mul_add_e_f64s(entry, lane[h], held[h]);
                }
            }
            for h in 0..HELD {
                sum[h] = simd.mul_add_e_f64s(held[h], held[h], sum[h]);
            }
        }
        *square = sum;
    }
    squares
}
