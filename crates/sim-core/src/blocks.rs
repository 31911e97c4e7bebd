//! Matrices whose columns are computed in blocks, in parallel.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// A matrix whose columns `compute` fills, block by block, in parallel. The blocks have `block_len` columns, the last
/// one perhaps fewer; `compute` gets the number of the block and the numbers of its columns, one column after the
/// other, which are zero before.
///
/// # Shapes
/// - returns `[d, n]`
///
/// # Panics
/// When `block_len` is zero.
///
/// ```
/// let x = sim_core::in_blocks(2, 5, 3, |block, out| out.fill(block as f64));
/// assert_eq!(x.row(0), nalgebra::dmatrix![0.0, 0.0, 0.0, 1.0, 1.0].row(0));
/// ```
pub fn in_blocks(
    d: usize,
    n: usize,
    block_len: usize,
    compute: impl Fn(usize, &mut [f64]) + Sync,
) -> DMatrix<f64> {
    assert!(block_len > 0, "a block has at least one column");
    let mut x = DMatrix::zeros(d, n);
    if d > 0 {
        x.as_mut_slice()
            .par_chunks_mut(d * block_len)
            .enumerate()
            .for_each(|(block, out)| compute(block, out));
    }
    x
}
