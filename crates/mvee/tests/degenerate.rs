//! Input that is flat, far off, badly scaled or broken.

mod common;

use common::{affine, difference, normal, rng, rotation, solve};
use mvee::{Mvee, MveeError};
use nalgebra::{DMatrix, DVector};

fn error(points: &DMatrix<f64>) -> MveeError {
    Mvee::default().solve(points.as_view()).unwrap_err()
}

/// `n` points of a random `rank`-dimensional affine subspace of `d` dimensions, about `offset`.
fn flat(d: usize, rank: usize, n: usize, offset: f64, seed: u64) -> DMatrix<f64> {
    let mut rng = rng(seed);
    let basis = normal(d, rank, &mut rng);
    affine(&basis, &DVector::repeat(d, offset), &normal(rank, n, &mut rng))
}

#[test]
fn flat_sets_are_refused_with_their_rank() {
    for (d, rank) in [(2, 1), (3, 1), (3, 2), (5, 3), (8, 7), (12, 1), (12, 11)] {
        for offset in [0.0, 1.0, 1e6] {
            for seed in 0..20 {
                let points = flat(d, rank, 200, offset, seed);
                assert_eq!(
                    error(&points),
                    MveeError::Degenerate { rank, dim: d },
                    "offset {offset:e}, seed {seed}"
                );
            }
        }
    }
}

#[test]
fn too_few_points_are_flat() {
    for d in 1..=12 {
        for n in 1..=d {
            let expected = MveeError::Degenerate { rank: n - 1, dim: d };
            assert_eq!(error(&normal(d, n, &mut rng(n as u64))), expected);
        }
        let all_the_same = DMatrix::from_element(d, 30, 0.1);
        assert_eq!(error(&all_the_same), MveeError::Degenerate { rank: 0, dim: d });
    }
}

#[test]
fn a_constant_coordinate_is_flat_and_the_message_says_what_to_do() {
    let mut points = normal(4, 100, &mut rng(3));
    points.row_mut(2).fill(1e6 + 0.1);
    let error = error(&points);
    assert_eq!(error, MveeError::Degenerate { rank: 3, dim: 4 });
    assert!(error.to_string().contains("solve_in_hull"));
}

#[test]
fn thin_but_not_flat_sets_are_solved() {
    for thickness in [1e-3, 1e-6, 1e-9] {
        let mut rng = rng(5);
        let mut base = normal(6, 400, &mut rng);
        let reference = solve(&base, 1e-10).ellipsoid;
        base.row_mut(3).scale_mut(thickness);
        let turn = rotation(6, &mut rng);
        let solution = solve(&(&turn * &base), 1e-7);
        let mut stretch = DMatrix::identity(6, 6);
        stretch[(3, 3)] = thickness;
        let expected = reference.affine_image(&(&turn * stretch), &DVector::zeros(6)).unwrap();
        // Coordinates of size 1 are rounded to 1e-16; relative to the thickness that is the error.
        let bound = 1e-6_f64.max(1e-14 / thickness);
        let apart = difference(&solution.ellipsoid, &expected);
        assert!(apart < bound, "thickness {thickness:e}: {apart:e}");
        assert!(solution.gap < bound, "thickness {thickness:e}: gap {:e}", solution.gap);
    }
}

#[test]
fn the_hull_of_a_flat_set_has_its_ellipsoid() {
    for (d, rank) in [(3, 2), (5, 1), (8, 5), (4, 4)] {
        let points = flat(d, rank, 300, 2.0, 11);
        let found = Mvee::default().solve_in_hull(points.as_view()).unwrap();
        assert_eq!((found.solution.ellipsoid.dim(), found.hull.basis.shape()), (rank, (d, rank)));
        let inside = found.hull.project(points.as_view());
        assert!((found.hull.lift(inside.as_view()) - &points).amax() < 1e-12);
        assert!(found.solution.ellipsoid.distances(inside.as_view()).max() <= 1e-12);
        // The same set without the detour over d dimensions.
        let direct = solve(&normal(rank, 300, &mut skipped(d, rank, 11)), 1e-10);
        let gap = found.solution.ellipsoid.ln_volume() - direct.ellipsoid.ln_volume();
        let stretch = normal(d, rank, &mut rng(11)).singular_values().map(f64::ln).sum();
        assert!((gap - stretch).abs() < 1e-6, "{gap}");
    }
}

/// The generator as `flat` leaves it after the basis.
fn skipped(d: usize, rank: usize, seed: u64) -> rand_chacha::ChaCha8Rng {
    let mut rng = rng(seed);
    normal(d, rank, &mut rng);
    rng
}

#[test]
fn a_ridge_gives_flat_sets_a_thickness_and_leaves_others_alone() {
    let ridge = Mvee::builder().ridge(1e-3).build().unwrap();
    let points = flat(5, 3, 200, 1.0, 2);
    let found = ridge.solve(points.as_view()).unwrap();
    assert!(found.ellipsoid.distances(points.as_view()).max() <= 0.0);
    let hull = ridge.solve_in_hull(points.as_view()).unwrap();
    let (axes, _) = found.ellipsoid.axes();
    let (within, _) = hull.solution.ellipsoid.axes();
    for i in 0..3 {
        assert!((axes[i] / within[i] - 1.0).abs() < 1e-9);
    }
    for i in 3..5 {
        assert!((axes[i] / (1e-3 * within[0]) - 1.0).abs() < 1e-9);
    }
    let full = normal(5, 200, &mut rng(1));
    let plain = Mvee::default().solve(full.as_view()).unwrap();
    assert_eq!(ridge.solve(full.as_view()).unwrap(), plain);
    let one_point = DMatrix::from_element(3, 4, 1.0);
    let error = ridge.solve(one_point.as_view()).unwrap_err();
    assert_eq!(error, MveeError::Degenerate { rank: 0, dim: 3 });
}

#[test]
fn duplicates_change_nothing() {
    let points = normal(6, 80, &mut rng(8));
    let plain = solve(&points, 1e-10);
    let repeated = DMatrix::from_fn(6, 800, |i, j| points[(i, j % 80)]);
    let solution = solve(&repeated, 1e-10);
    assert!(difference(&solution.ellipsoid, &plain.ellipsoid) < 1e-8);
}

#[test]
fn far_off_centres_are_handled() {
    let points = normal(7, 500, &mut rng(21));
    let plain = solve(&points, 1e-10).ellipsoid;
    for distance in [1e3, 1e6, 1e9] {
        let shift = DVector::repeat(7, distance);
        let moved = affine(&DMatrix::identity(7, 7), &shift, &points);
        let solution = solve(&moved, 1e-7);
        // Moving the points rounds them to 1e-16 of the distance.
        let bound = 1e-6_f64.max(50.0 * f64::EPSILON * distance);
        let apart = difference(
            &solution.ellipsoid,
            &plain.affine_image(&DMatrix::identity(7, 7), &shift).unwrap(),
        );
        assert!(apart < bound, "distance {distance:e}: {apart:e}");
        assert!(solution.ellipsoid.distances(moved.as_view()).max() <= 0.0);
    }
}

#[test]
fn scales_from_1e_minus_8_to_1e8_are_handled() {
    let points = normal(9, 700, &mut rng(33));
    let plain = solve(&points, 1e-10).ellipsoid;
    let scales = DVector::from_fn(9, |i, _| 10.0_f64.powi(2 * i as i32 - 8));
    let stretch = DMatrix::from_diagonal(&scales);
    let solution = solve(&(&stretch * &points), 1e-10);
    let expected = plain.affine_image(&stretch, &DVector::zeros(9)).unwrap();
    let apart = difference(&solution.ellipsoid, &expected);
    assert!(apart < 1e-8, "{apart:e}");
    assert!(solution.converged());
    for overall in [1e-100, 1e-8, 1e8, 1e100] {
        let solution = solve(&(&points * overall), 1e-10);
        let expected = plain.scale(overall).unwrap();
        let volume = solution.ellipsoid.ln_volume() - expected.ln_volume();
        assert!(volume.abs() < 1e-8, "overall {overall:e}: {volume:e}");
        let center = (solution.ellipsoid.center() / overall - plain.center()).amax();
        assert!(center < 1e-8, "overall {overall:e}: {center:e}");
    }
}

/// An outlier at distance $t$ along a coordinate: the rest keeps its extent across it.
#[test]
fn one_huge_outlier_is_handled() {
    for t in [1e4, 1e6, 1e8] {
        let mut points = normal(6, 1000, &mut rng(4));
        points[(2, 17)] = t;
        let solution = solve(&points, 1e-7);
        assert!(solution.converged(), "{t:e}: gap {:e}", solution.gap);
        assert!(solution.ellipsoid.distances(points.as_view()).max() <= 0.0);
        assert!(solution.support.contains(&17));
        let (axes, _) = solution.ellipsoid.axes();
        // The apex of a cone of height t: the centre lies t / (d + 1) above the base.
        assert!((axes[0] / (t * 6.0 / 7.0) - 1.0).abs() < 0.01, "{t:e}: {}", axes[0]);
        assert!(axes[1] < 10.0);
    }
}

#[test]
fn broken_values_are_refused_with_their_place() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for n in [50, 20_000] {
            let mut points = normal(3, n, &mut rng(9));
            points[(2, n - 7)] = value;
            match error(&points) {
                MveeError::NotFinite { point, coordinate, value: found } => {
                    assert_eq!((point, coordinate), (n - 7, 2));
                    assert_eq!(found.to_bits(), value.to_bits());
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn empty_sets_and_impossible_scales_are_refused() {
    assert_eq!(error(&DMatrix::zeros(3, 0)), MveeError::Empty { dim: 3, n: 0 });
    assert_eq!(error(&DMatrix::zeros(0, 3)), MveeError::Empty { dim: 0, n: 3 });
    let huge = normal(3, 50, &mut rng(1)) * 1e200;
    assert!(matches!(error(&huge), MveeError::Scale { coordinate: 0, .. }));
    let tiny = normal(3, 50, &mut rng(1)) * 1e-200;
    assert!(matches!(error(&tiny), MveeError::Scale { coordinate: 0, .. }));
}

#[test]
fn settings_are_checked_when_built() {
    for tolerance in [0.0, -1.0, 1.0, f64::NAN] {
        assert!(matches!(
            Mvee::builder().tolerance(tolerance).build(),
            Err(MveeError::Setting { setting: "tolerance", .. })
        ));
    }
    assert!(Mvee::builder().max_iterations(0).build().is_err());
    assert!(Mvee::builder().ridge(-1e-3).build().is_err());
}

#[test]
fn an_iteration_limit_still_gives_an_enclosing_ellipsoid_with_its_gap() {
    let points = normal(8, 2000, &mut rng(6));
    let mvee = Mvee::builder().tolerance(1e-9).max_iterations(10).build().unwrap();
    let solution = mvee.solve(points.as_view()).unwrap();
    assert!(!solution.converged() && solution.gap > 1e-9 && solution.iterations <= 12);
    assert!(solution.ellipsoid.distances(points.as_view()).max() <= 0.0);
    let best = solve(&points, 1e-10).ellipsoid.ln_volume();
    let excess = solution.ellipsoid.ln_volume() - best;
    assert!(excess > 0.0 && excess <= solution.ln_volume_gap());
}
