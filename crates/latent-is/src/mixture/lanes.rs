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

/// $e^x$ for $x \le 0$ to within two units in the last place, in operations that exist as vector
/// instructions: $x = n \log 2 + r$ with $|r| \le \frac12\log 2$, a Taylor polynomial in $r$, and $n$ put
/// into the exponent. Below $-700$ it is zero.
#[inline(always)]
pub(super) fn exp_nonpositive(x: f64) -> f64 {
    // Adding 1.5 * 2^52 rounds to an integer, which then stands in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const INVERSE_FACTORIALS: [f64; 14] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5_040.0,
        1.0 / 40_320.0,
        1.0 / 362_880.0,
        1.0 / 3_628_800.0,
        1.0 / 39_916_800.0,
        1.0 / 479_001_600.0,
        1.0 / 6_227_020_800.0,
    ];
    let clamped = if x > -700.0 { x } else { -700.0 };
    let shifted = clamped * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut value = INVERSE_FACTORIALS[13];
    for coefficient in INVERSE_FACTORIALS[..13].iter().rev() {
        value = value * r + coefficient;
    }
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x > -700.0 { value * power } else { 0.0 }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_accurate_over_its_range() {
        for i in 0..200_000 {
            let x = -f64::from(i) * 3.49e-3;
            let (actual, expected) = (exp_nonpositive(x), x.exp());
            assert!((actual - expected).abs() <= 5e-16 * expected, "{x}: {actual} {expected}");
        }
        assert!(exp_nonpositive(0.0).to_bits() == 1.0_f64.to_bits());
        assert!(exp_nonpositive(f64::NEG_INFINITY).abs() < f64::MIN_POSITIVE);
        assert!(exp_nonpositive(-1e300).abs() < f64::MIN_POSITIVE);
    }
}
