//! The base distribution of a flow: the standard normal $\varphi_d$ of the latent `u`.

use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Natural logarithm of $2\pi$.
pub(crate) const LN_2PI: f64 = 1.837_877_066_409_345_3;

/// $\ln \varphi_d(u)$ plus `ln_det`, per column.
///
/// # Shapes
/// - `u`: `[d, n]`; `ln_det` and the result: `[n]`
pub(crate) fn ln_pdf_plus(u: &DMatrix<f64>, ln_det: &DVector<f64>) -> DVector<f64> {
    let constant = 0.5 * u.nrows() as f64 * LN_2PI;
    let columns = u.column_iter().zip(ln_det.iter());
    let values = columns.map(|(u, ln_det)| ln_det - constant - 0.5 * u.norm_squared());
    DVector::from_iterator(u.ncols(), values)
}

/// `n` independent draws, `[d, n]`, a function of `seed` alone.
pub(crate) fn sample(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    DMatrix::from_fn(d, n, |_, _| StandardNormal.sample(&mut rng))
}
