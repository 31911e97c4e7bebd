//! Standard normal numbers by seed.

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// Samples per random stream.
const BLOCK: usize = 1024;

/// `n` independent standard normal vectors, `[d, n]`: one `ChaCha8` stream per block, so that they depend
/// neither on the number of threads nor on `n`.
pub(crate) fn standard_normal(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
    let mut u = DMatrix::zeros(d, n);
    if d > 0 {
        u.as_mut_slice().par_chunks_mut(d * BLOCK).enumerate().for_each(|(block, out)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(block as u64);
            for v in out {
                *v = StandardNormal.sample(&mut rng);
            }
        });
    }
    u
}
