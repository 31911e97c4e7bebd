//! Simulators: sources of outcomes `x ~ p(x)`.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// One coordinate of a simulator's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Name, as in a column header.
    pub name: &'static str,
    /// Unit in the usual notation (`m`, `rad/s`); `1` for pure numbers.
    pub unit: &'static str,
}

/// A stochastic simulator, seen through the features of its outcome.
///
/// Outcomes form one endless sequence per seed, cut into blocks that own a random stream each, so
/// that outcome `i` depends on neither the number of outcomes asked for nor the number of threads,
/// and long runs can be interrupted and taken up at a block.
pub trait Simulator: Sync {
    /// Short name, as used on the command line.
    fn name(&self) -> &'static str;

    /// The coordinates of an outcome, in order; their number is `d`.
    fn features(&self) -> &'static [Feature];

    /// Number of outcomes in a block.
    fn block_len(&self) -> usize;

    /// Simulates block `block` of the sequence of `seed`. An outcome the simulator cannot finish is
    /// written as NaN in all its coordinates.
    ///
    /// # Shapes
    /// - `out`: the first `n <= block_len` outcomes of the block, one after the other, `n * d` numbers
    fn simulate_block(&self, seed: u64, block: u64, out: &mut [f64]);

    /// Number of coordinates `d`.
    fn dim(&self) -> usize {
        self.features().len()
    }

    /// The first `n` outcomes of the sequence of `seed`, simulated in parallel.
    ///
    /// # Shapes
    /// - returns `[d, n]`, one outcome a column
    fn simulate(&self, n: usize, seed: u64) -> DMatrix<f64> {
        self.simulate_with(n, seed, &|_| ())
    }

    /// Like [`simulate`](Self::simulate); `progress` hears the number of outcomes of each finished
    /// block, from any thread.
    fn simulate_with(
        &self,
        n: usize,
        seed: u64,
        progress: &(dyn Fn(usize) + Sync),
    ) -> DMatrix<f64> {
        self.simulate_from_block(0, n, seed, progress)
    }

    /// The `n` outcomes of the sequence of `seed` that begin with block `first`, so that a long run
    /// can be taken up where it was left.
    ///
    /// # Shapes
    /// - returns `[d, n]`
    fn simulate_from_block(
        &self,
        first: u64,
        n: usize,
        seed: u64,
        progress: &(dyn Fn(usize) + Sync),
    ) -> DMatrix<f64> {
        let d = self.dim();
        let mut x = DMatrix::zeros(d, n);
        x.as_mut_slice().par_chunks_mut(d * self.block_len()).enumerate().for_each(
            |(block, out)| {
                self.simulate_block(seed, first + block as u64, out);
                progress(out.len() / d);
            },
        );
        x
    }
}
