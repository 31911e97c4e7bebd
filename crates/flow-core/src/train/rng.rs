//! Random streams of a training run.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are used for. Initial weights have a generator of their own, in
/// [`Flow::init`](crate::Flow::init).
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// The choice of held-out rows.
    Split,
    /// The order of the rows in an epoch.
    Shuffle,
    /// The noise on the rows of a step.
    Jitter,
    /// The dropout of a step.
    Dropout,
    /// The places of point masses on the normal scale.
    Spread,
    /// The outcomes and the seed of a member of an ensemble.
    Member,
}

/// The generator of item `index` of a purpose. A resumed run therefore draws the numbers that the
/// uninterrupted run draws.
pub(crate) fn stream(seed: u64, purpose: Purpose, index: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((purpose as u64 + 1) << 48) | index as u64);
    rng
}
