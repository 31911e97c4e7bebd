//! Point sets and measures the tests share.
#![allow(dead_code, reason = "each test file uses some of these")]

use mvee::{Ellipsoid, Mvee, Solution};
use nalgebra::{DMatrix, DVector};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Standard normal points, `[d, n]`.
pub(crate) fn normal(d: usize, n: usize, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    DMatrix::from_fn(d, n, |_, _| rng.sample(StandardNormal))
}

/// A random rotation, `[d, d]`.
pub(crate) fn rotation(d: usize, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    normal(d, d, rng).qr().q()
}

/// `A x + b` for every column.
pub(crate) fn affine(a: &DMatrix<f64>, b: &DVector<f64>, x: &DMatrix<f64>) -> DMatrix<f64> {
    let mut y = a * x;
    y.column_iter_mut().for_each(|mut c| c += b);
    y
}

pub(crate) fn solve(points: &DMatrix<f64>, tolerance: f64) -> Solution {
    Mvee::builder().tolerance(tolerance).build().unwrap().solve(points.as_view()).unwrap()
}

/// How far two ellipsoids are apart: centre in the metric of `b`, and the largest deviation of
/// `L_b⁻¹ Σ_a L_b⁻ᵀ` from the unit matrix.
pub(crate) fn difference(a: &Ellipsoid, b: &Ellipsoid) -> f64 {
    let d = a.dim();
    let inverse = b.factor().solve_lower_triangular(&DMatrix::identity(d, d)).unwrap();
    let white = &inverse * a.factor();
    let shape = (&white * white.transpose() - DMatrix::identity(d, d)).singular_values().max();
    shape.max(b.mahalanobis(a.center().as_slice()))
}

/// Corners of $[0, 1]^d$.
pub(crate) fn cube(d: usize) -> DMatrix<f64> {
    DMatrix::from_fn(d, 1 << d, |i, j| f64::from(j >> i & 1 == 1))
}

/// `±e_i`.
pub(crate) fn cross_polytope(d: usize) -> DMatrix<f64> {
    DMatrix::from_fn(d, 2 * d, |i, j| if j / 2 == i { 1.0 - 2.0 * (j % 2) as f64 } else { 0.0 })
}
