//! Random numbers as a function of (seed, purpose, index, block).
//!
//! Each use of random numbers has its own seed, which [`derive()`] makes from the seed of the run, the
//! purpose and an index (of a level, a trial, a batch). Samples are drawn in blocks of a fixed size,
//! and each block has its own `ChaCha` stream of that seed. Results therefore depend neither on the
//! number of threads nor on the order in which blocks finish.
//!
//! ```
//! use rand::RngExt;
//! use sim_core::rng;
//!
//! let seed = rng::derive(7, "wind", 0); // for the wind in run 7
//! let mut block = rng::stream(seed, 12); // for samples of block 12
//! let speed: f64 = block.random();
//! assert!((0.0..1.0).contains(&speed));
//! ```

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::blocks::in_blocks;

/// Samples per random stream in [`standard_normal`].
const BLOCK: usize = 1024;

/// Returns the seed for one purpose. Equal arguments give equal seeds; seeds of different arguments
/// are unrelated.
///
/// The text is hashed with FNV-1a; the result is mixed with `SplitMix64` (Steele, Lea, Flood: Fast
/// splittable pseudorandom number generators. *OOPSLA* 2014).
pub fn derive(seed: u64, purpose: &str, index: u64) -> u64 {
    let label = purpose
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    split_mix(split_mix(split_mix(seed) ^ label) ^ index)
}

/// Returns the seed of a sample for one purpose, as a function of its exact coordinates: the same sample has
/// the same seed on any worker and in any batch, and there is no counter to keep. Seeds of different
/// samples are unrelated; `0.0` and `-0.0` count as equal.
pub fn derive_from(seed: u64, purpose: &str, sample: &[f64]) -> u64 {
    // Adding zero makes -0.0 zero.
    let fold = |h: u64, v: &f64| split_mix(h ^ (v + 0.0).to_bits());
    sample.iter().fold(derive(seed, purpose, sample.len() as u64), fold)
}

fn split_mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Returns the generator of block `block` under `seed`.
pub fn stream(seed: u64, block: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(block);
    rng
}

/// Draws `n` independent standard normal vectors, in parallel. The first columns do not depend on `n`.
///
/// # Shapes
/// - returns `[d, n]`, one sample per column
pub fn standard_normal(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
    in_blocks(d, n, BLOCK, |block, out| {
        let mut rng = stream(seed, block as u64);
        for v in out {
            *v = StandardNormal.sample(&mut rng);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_batch_begins_with_the_shorter_one() {
        let long = standard_normal(3, 3000, 7);
        let short = standard_normal(3, 1500, 7);
        assert_eq!(short.as_slice(), &long.as_slice()[..short.len()]);
    }

    #[test]
    fn every_bit_of_a_sample_changes_its_seed() {
        let seed = |sample: &[f64]| derive_from(1, "a", sample);
        let next = 1.0 + f64::EPSILON;
        let samples =
            [&[1.0, 2.0][..], &[2.0, 1.0], &[next, 2.0], &[1.0], &[], &[0.0], &[0.0, 0.0]];
        let seeds = samples.map(seed);
        for (i, s) in seeds.iter().enumerate() {
            assert!(!seeds[..i].contains(s));
        }
        assert_eq!(seed(&[0.0, 1.0]), seed(&[-0.0, 1.0]));
        assert_ne!(derive_from(1, "a", &[1.0]), derive_from(1, "b", &[1.0]));
        assert_ne!(derive_from(1, "a", &[1.0]), derive_from(2, "a", &[1.0]));
    }

    #[test]
    fn purpose_index_and_seed_each_change_the_seed() {
        let seeds = [derive(1, "a", 0), derive(1, "a", 1), derive(1, "b", 0), derive(2, "a", 0)];
        for (i, s) in seeds.iter().enumerate() {
            assert!(!seeds[..i].contains(s));
        }
    }
}
