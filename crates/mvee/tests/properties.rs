//! What holds for every point set.

mod common;

use common::{affine, difference, normal, rng, solve};
use mvee::{Ellipsoid, Mvee};
use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A set of `n >= d + 2` points of one of four kinds.
fn point_set(d: usize, n: usize, kind: u8, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    let mut points = normal(d, n, rng);
    match kind {
        0 => {}
        1 => points.apply(|v| *v = v.exp()),
        2 if d > 1 => points.column_iter_mut().for_each(|mut c| c /= c.norm()),
        _ => points.apply(|v| *v = v.signum() * v.abs().powi(3)),
    }
    points
}

/// Shape and centre are determined to about the square root of the gap.
const APART: f64 = 1e-4;
const GAP: f64 = 1e-10;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        rng_seed: RngSeed::Fixed(3),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn it_moves_with_affine_maps(d in 1..9_usize, extra in 2..200_usize, kind in 0..4_u8, seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let points = point_set(d, d + extra, kind, &mut rng);
        let a = normal(d, d, &mut rng);
        prop_assume!(a.singular_values().min() > 1e-3);
        let b = DVector::from_column_slice(normal(d, 1, &mut rng).as_slice()) * 100.0;
        let before = solve(&points, GAP);
        let after = solve(&affine(&a, &b, &points), GAP);
        let expected = before.ellipsoid.affine_image(&a, &b).unwrap();
        let volume = (after.ellipsoid.ln_volume() - expected.ln_volume()).abs();
        prop_assert!(volume < 1e-7, "ln volume {volume:e}");
        let apart = difference(&after.ellipsoid, &expected);
        prop_assert!(apart < APART, "apart {apart:e}");
    }

    #[test]
    fn the_order_of_points_does_not_matter(d in 1..9_usize, extra in 2..200_usize, kind in 0..4_u8, seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let points = point_set(d, d + extra, kind, &mut rng);
        let mut order: Vec<usize> = (0..points.ncols()).collect();
        order.shuffle(&mut rng);
        let apart = difference(
            &solve(&points, GAP).ellipsoid,
            &solve(&points.select_columns(&order), GAP).ellipsoid,
        );
        prop_assert!(apart < APART, "apart {apart:e}");
    }

    #[test]
    fn inner_points_change_nothing(d in 1..9_usize, extra in 2..100_usize, kind in 0..4_u8, seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let points = point_set(d, d + extra, kind, &mut rng);
        let before = solve(&points, GAP);
        let inner = before.ellipsoid.scale(0.999).unwrap().sample(200, &mut rng);
        let columns: Vec<_> = points.column_iter().chain(inner.column_iter()).collect();
        let after = solve(&DMatrix::from_columns(&columns), GAP);
        let apart = difference(&after.ellipsoid, &before.ellipsoid);
        prop_assert!(apart < APART, "apart {apart:e}");
        prop_assert!(after.support.iter().all(|&i| i < points.ncols()));
    }

    #[test]
    fn the_support_alone_gives_the_same(d in 1..9_usize, extra in 2..200_usize, kind in 0..4_u8, seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let points = point_set(d, d + extra, kind, &mut rng);
        let whole = solve(&points, GAP);
        let support = solve(&points.select_columns(&whole.support), GAP);
        let apart = difference(&support.ellipsoid, &whole.ellipsoid);
        prop_assert!(apart < APART, "apart {apart:e}");
        // Support points lie on the surface, all others within.
        let distances = whole.ellipsoid.distances(points.as_view());
        prop_assert!(distances.max() <= 0.0);
        for (&i, w) in whole.support.iter().zip(&whole.weights) {
            // Complementary slackness: w (1 - distance²) is at most about the gap.
            prop_assert!(w * distances[i].abs() < 1e-8, "{i}: weight {w:e} at {:e}", distances[i]);
        }
    }

    #[test]
    fn the_gap_bounds_every_enclosing_ellipsoid(
        d in 1..9_usize, extra in 2..200_usize, kind in 0..4_u8, limit in 1..60_usize, seed: u64,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let points = point_set(d, d + extra, kind, &mut rng);
        let rough = Mvee::builder().tolerance(1e-9).max_iterations(limit).build().unwrap();
        let rough = rough.solve(points.as_view()).unwrap();
        let bound = rough.ellipsoid.ln_volume() - rough.ln_volume_gap() - 1e-9;
        prop_assert!(rough.ln_volume_gap() <= (d + 1) as f64 * rough.gap / 2.0 + 1e-12);
        let best = solve(&points, GAP);
        prop_assert!(best.ellipsoid.ln_volume() >= bound);
        // Others: the best, disturbed more and more, scaled until it encloses all points.
        for k in 0..20 {
            let size = 10.0_f64.powi(-(k % 6));
            let turn = DMatrix::identity(d, d) + normal(d, d, &mut rng) * size;
            let push: f64 = rng.random::<f64>() * size;
            let center = best.ellipsoid.center().map(|c| c + push);
            let Ok(other) = Ellipsoid::from_factor(center, &(turn * best.ellipsoid.factor())) else {
                continue;
            };
            let other = other.scale(1.0 + other.distances(points.as_view()).max()).unwrap();
            prop_assert!(other.ln_volume() >= bound, "{} < {bound}", other.ln_volume());
        }
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let points = normal(5, 50_000, &mut rng(77));
    let ball = Ellipsoid::ball(DVector::zeros(5), 2.0).unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (solve(&points, 1e-9), ball.distances(points.as_view())))
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one, three);
}
