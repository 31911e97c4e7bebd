//! A million points.

mod common;

use common::{affine, cross_polytope, difference, normal, rng, rotation, solve};
use mvee::Ellipsoid;
use nalgebra::{DMatrix, DVector};

const N: usize = 1_000_000;
const D: usize = 12;

#[test]
fn a_million_normal_points_are_enclosed_to_the_tolerance() {
    let points = normal(D, N, &mut rng(12));
    let solution = solve(&points, 1e-7);
    assert!(solution.converged() && solution.gap <= 1e-7);
    assert!(solution.ellipsoid.distances(points.as_view()).max() <= 0.0);
    // Weak duality from outside: the support points alone have the same ellipsoid.
    let support = solve(&points.select_columns(&solution.support), 1e-10);
    let excess = solution.ellipsoid.ln_volume() - support.ellipsoid.ln_volume();
    assert!((-1e-9..1e-6).contains(&excess), "{excess:e}");
}

/// All but 24 points lie inside the ball that a cross-polytope determines.
#[test]
fn a_known_ellipsoid_is_found_among_a_million_points() {
    let mut rng = rng(3);
    let ball = Ellipsoid::ball(DVector::zeros(D), 1.0).unwrap();
    let mut points = ball.sample(N, &mut rng);
    let corners = rotation(D, &mut rng) * cross_polytope(D);
    for (k, corner) in corners.column_iter().enumerate() {
        points.set_column(k * 41_017, &corner.normalize());
    }
    let a: DMatrix<f64> = normal(D, D, &mut rng);
    let b = DVector::repeat(D, 1e3);
    let solution = solve(&affine(&a, &b, &points), 1e-9);
    let apart = difference(&solution.ellipsoid, &ball.affine_image(&a, &b).unwrap());
    assert!(solution.converged() && apart < 1e-4, "gap {:e}, apart {apart:e}", solution.gap);
    assert!(solution.ellipsoid.ln_volume() - ball.affine_image(&a, &b).unwrap().ln_volume() < 1e-8);
}
