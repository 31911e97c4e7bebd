//! Where the disturbances of a block of runs come from.

use nalgebra::DMatrixView;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sim_core::rng;

use crate::params::RobotParams;

/// Runs per random stream; they are simulated together.
pub(crate) const BLOCK: usize = 256;

/// Disturbances of `x`, `y` (m) and `theta` (rad) of all runs of a block in one step.
pub(crate) type Noise = [[f64; BLOCK]; 3];

/// The disturbances of a block of runs, asked for in the order of the steps.
pub(crate) trait Disturbances {
    /// Whether the turn rate of run `j` changes its sign; asked for all runs in turn, before the step after
    /// the change.
    fn flips(&mut self, j: usize) -> bool;

    /// The disturbances of step `i`.
    fn fill(&mut self, i: usize, noise: &mut Noise);
}

/// Drawn from the stream of a block. All runs of the block are drawn, also when only some are used.
pub(crate) struct Drawn {
    rng: ChaCha8Rng,
    flip_probability: f64,
    sd: [f64; 3],
}

impl Drawn {
    pub(crate) fn new(params: &RobotParams, seed: u64, block: u64) -> Self {
        Self {
            rng: rng::stream(rng::derive(seed, "robot", 0), block),
            flip_probability: params.flip_probability,
            sd: params.noise_variance.map(f64::sqrt),
        }
    }
}

impl Disturbances for Drawn {
    fn flips(&mut self, _: usize) -> bool {
        self.rng.random::<f64>() < self.flip_probability
    }

    fn fill(&mut self, _: usize, noise: &mut Noise) {
        for (row, sd) in noise.iter_mut().zip(self.sd) {
            for w in row {
                let draw: f64 = StandardNormal.sample(&mut self.rng);
                *w = sd * draw;
            }
        }
    }
}

/// Given as inputs, one run per column; runs beyond the last column are not disturbed.
pub(crate) struct Given<'a>(pub(crate) DMatrixView<'a, f64>);

impl Disturbances for Given<'_> {
    fn flips(&mut self, j: usize) -> bool {
        j < self.0.ncols() && self.0[(self.0.nrows() - 1, j)] > 0.5
    }

    fn fill(&mut self, i: usize, noise: &mut Noise) {
        for (j, column) in self.0.column_iter().enumerate() {
            for (k, row) in noise.iter_mut().enumerate() {
                row[j] = column[3 * i + k];
            }
        }
    }
}
