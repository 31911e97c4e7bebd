//! Sets whose smallest ellipsoid is known in closed form.

mod common;

use common::{affine, cross_polytope, cube, difference, normal, rng, rotation, solve};
use mvee::Ellipsoid;
use nalgebra::{DMatrix, DVector};

/// The expected ellipsoid, moved by the same affine map as the points, must come out.
fn check(points: &DMatrix<f64>, expected: &Ellipsoid, what: &str) {
    let d = points.nrows();
    for seed in 0..5 {
        let mut rng = rng(seed);
        let a = normal(d, d, &mut rng);
        let b = 10.0 * DVector::from_column_slice(normal(d, 1, &mut rng).as_slice());
        let moved = affine(&a, &b, points);
        let solution = solve(&moved, 1e-11);
        let apart = difference(&solution.ellipsoid, &expected.affine_image(&a, &b).unwrap());
        assert!(solution.converged(), "{what}, seed {seed}: gap {:e}", solution.gap);
        // The deviation of the shape is of the order of the square root of the gap at worst.
        assert!(apart < 1e-5, "{what}, seed {seed}: {apart:e}");
        let volume =
            solution.ellipsoid.ln_volume() - expected.affine_image(&a, &b).unwrap().ln_volume();
        assert!(volume.abs() < 1e-9, "{what}, seed {seed}: ln volume {volume:e}");
    }
}

#[test]
fn corners_of_a_cube_lie_on_a_ball() {
    for d in 1..=8 {
        let ball = Ellipsoid::ball(DVector::repeat(d, 0.5), (d as f64).sqrt() / 2.0).unwrap();
        check(&cube(d), &ball, &format!("cube {d}"));
    }
}

#[test]
fn a_cross_polytope_lies_on_a_ball() {
    for d in 1..=15 {
        let ball = Ellipsoid::ball(DVector::zeros(d), 1.0).unwrap();
        check(&cross_polytope(d), &ball, &format!("cross-polytope {d}"));
    }
}

/// The unit vectors and the point `t (1, …, 1)` at the same distance from each of them form a
/// regular simplex with all vertices at $\sqrt{d / (2 (d + 1))}$ times its edge from the centroid.
#[test]
fn a_regular_simplex_lies_on_a_ball_with_equal_weights() {
    for d in 1..=15_usize {
        let t = (1.0 - (1.0 + d as f64).sqrt()) / d as f64;
        let simplex = DMatrix::from_fn(d, d + 1, |i, j| if j == d { t } else { f64::from(i == j) });
        let edge = if d == 1 { 1.0 - t } else { 2.0_f64.sqrt() };
        let radius = edge * (d as f64 / (2.0 * (d + 1) as f64)).sqrt();
        check(&simplex, &Ellipsoid::ball(simplex.column_mean(), radius).unwrap(), "simplex");
        let solution = solve(&simplex, 1e-11);
        assert_eq!(solution.support.len(), d + 1);
        let equal = 1.0 / (d + 1) as f64;
        assert!(solution.weights.iter().all(|w| (w - equal).abs() < 1e-12));
    }
}

/// A ball whose surface holds a rotated cross-polytope is the smallest ellipsoid of it, whatever
/// else the ball holds, on the surface or inside.
#[test]
fn the_ball_of_its_support_points_is_found_among_others() {
    for d in [2, 3, 5, 8, 12] {
        let mut rng = rng(d as u64);
        let ball = Ellipsoid::ball(DVector::zeros(d), 1.0).unwrap();
        let mut columns: Vec<DVector<f64>> = Vec::new();
        let corners = rotation(d, &mut rng) * cross_polytope(d);
        columns.extend(corners.column_iter().map(|c| c.normalize()));
        columns.extend(ball.sample_surface(50, &mut rng).column_iter().map(|c| c.normalize()));
        columns.extend(ball.sample(500, &mut rng).column_iter().map(DVector::from));
        check(&DMatrix::from_columns(&columns), &ball, &format!("ball of support points {d}"));
    }
}

/// The smallest ellipsoid of two parallel, concentric (d - 1)-balls of radius $r$ at height $\pm h$ has
/// semi-axis $h \sqrt d$ along the axis and $r \sqrt{d / (d - 1)}$ across it; cross-polytopes stand for the balls.
#[test]
fn a_cylinder_has_known_semi_axes() {
    for d in 2..=10_usize {
        let (r, h) = (3.0, 0.2);
        let ring = cross_polytope(d - 1);
        let points = DMatrix::from_fn(d, 2 * ring.ncols(), |i, j| {
            let side = if j < ring.ncols() { h } else { -h };
            if i == d - 1 { side } else { r * ring[(i, j % ring.ncols())] }
        });
        let across = r * (d as f64 / (d - 1) as f64).sqrt();
        let axes =
            DVector::from_fn(d, |i, _| if i == d - 1 { h * (d as f64).sqrt() } else { across });
        let expected = Ellipsoid::from_factor(DVector::zeros(d), &DMatrix::from_diagonal(&axes));
        check(&points, &expected.unwrap(), &format!("cylinder {d}"));
    }
}
