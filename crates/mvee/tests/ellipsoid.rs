//! The geometry of one ellipsoid and of a union.

#![expect(clippy::float_cmp, reason = "these are exact")]

mod common;

use common::{affine, normal, rng, rotation};
use mvee::{Ellipsoid, MveeError, Union};
use nalgebra::{DMatrix, DVector, dvector};

fn random(d: usize, seed: u64) -> Ellipsoid {
    let mut rng = rng(seed);
    let center = DVector::from_column_slice(normal(d, 1, &mut rng).as_slice());
    Ellipsoid::from_factor(center, &normal(d, d, &mut rng)).unwrap()
}

#[test]
fn distances_follow_the_definition() {
    for d in 1..=12 {
        let e = random(d, d as u64);
        let inverse = e.shape().clone().try_inverse().unwrap();
        for n in [1, 15, 16, 17, 5000] {
            let x = normal(d, n, &mut rng(1000 + n as u64));
            let batch = e.distances(x.as_view());
            assert_eq!(batch.len(), n);
            for (column, batched) in x.column_iter().zip(&batch) {
                let y = column - e.center();
                let expected = (y.transpose() * &inverse * &y)[(0, 0)].sqrt();
                let found = e.mahalanobis(column.as_slice());
                assert!((found / expected - 1.0).abs() < 1e-8, "d = {d}: {found} {expected}");
                assert!((found - 1.0 - batched).abs() < 1e-12 * found);
                assert_eq!(e.contains(column.as_slice()), found <= 1.0);
            }
        }
    }
}

#[test]
fn a_view_of_part_of_a_matrix_is_measured_as_its_copy() {
    let whole = normal(7, 100, &mut rng(1));
    let e = random(3, 2);
    let part = whole.view((2, 10), (3, 80));
    assert_eq!(e.distances(part), e.distances(part.into_owned().as_view()));
    let solve = |x| mvee::Mvee::default().solve(x).unwrap();
    assert_eq!(solve(part), solve(part.into_owned().as_view()));
}

#[test]
fn a_broken_point_gives_nan() {
    let e = random(3, 4);
    let union = Union::new(vec![e.clone(), random(3, 5)]).unwrap();
    let x = DMatrix::from_column_slice(3, 2, &[0.0, f64::NAN, 0.0, 0.1, 0.2, 0.3]);
    for distances in [e.distances(x.as_view()), union.distances(x.as_view())] {
        assert!(distances[0].is_nan() && !distances[1].is_nan());
    }
    assert!(e.distance(&[0.0, f64::NAN, 0.0]).is_nan());
    assert!(union.distance(&[0.0, f64::NAN, 0.0]).is_nan());
}

#[test]
fn volumes_are_those_of_balls_and_boxes() {
    let pi = std::f64::consts::PI;
    let unit =
        [2.0, pi, 4.0 / 3.0 * pi, pi.powi(2) / 2.0, 8.0 / 15.0 * pi.powi(2), pi.powi(3) / 6.0];
    for (d, volume) in (1..).zip(unit) {
        let ball = Ellipsoid::ball(DVector::zeros(d), 1.0).unwrap();
        assert!((ball.ln_volume() - f64::ln(volume)).abs() < 1e-14);
        let stretched = ball.affine_image(&(DMatrix::identity(d, d) * 3.0), &DVector::zeros(d));
        let expected = f64::ln(volume) + d as f64 * 3.0_f64.ln();
        assert!((stretched.unwrap().ln_volume() - expected).abs() < 1e-13);
    }
}

#[test]
fn axes_and_directions_rebuild_the_shape() {
    let lengths = dvector![5.0, 2.0, 1.0, 0.1];
    let turn = rotation(4, &mut rng(8));
    let factor = &turn * DMatrix::from_diagonal(&lengths);
    let e = Ellipsoid::from_factor(DVector::zeros(4), &factor).unwrap();
    let (axes, directions) = e.axes();
    assert!((&axes - &lengths).amax() < 1e-13);
    let rebuilt = &directions * DMatrix::from_diagonal(&axes);
    assert!((&rebuilt * rebuilt.transpose() - e.shape()).amax() < 1e-12);
    for k in 0..4 {
        let tip = e.center() + directions.column(k) * axes[k];
        assert!(e.distance(tip.as_slice()).abs() < 1e-13);
        assert!(directions.column(k).dot(&turn.column(k)).abs() > 1.0 - 1e-12);
    }
}

#[test]
fn scaling_and_affine_maps_move_the_distances() {
    let e = random(6, 9);
    let x = normal(6, 50, &mut rng(10));
    let twice = e.scale(2.0).unwrap();
    let (a, b) = (normal(6, 6, &mut rng(11)), DVector::repeat(6, 3.0));
    let image = e.affine_image(&a, &b).unwrap();
    let moved = affine(&a, &b, &x);
    for (x, y) in x.column_iter().zip(moved.column_iter()) {
        let norm = e.mahalanobis(x.as_slice());
        assert!((twice.mahalanobis(x.as_slice()) - norm / 2.0).abs() < 1e-13 * norm);
        assert!((image.mahalanobis(y.as_slice()) / norm - 1.0).abs() < 1e-9);
    }
}

#[test]
fn a_union_is_as_near_as_its_nearest_member() {
    let members = vec![random(4, 1), random(4, 2), random(4, 3)];
    let union = Union::new(members.clone()).unwrap();
    let x = normal(4, 200, &mut rng(4)) * 2.0;
    let batch = union.distances(x.as_view());
    for (column, batched) in x.column_iter().zip(&batch) {
        let all = members.iter().map(|e| e.distance(column.as_slice()));
        let least = all.fold(f64::INFINITY, f64::min);
        assert_eq!(union.distance(column.as_slice()), least);
        assert!((batched - least).abs() < 1e-12);
        assert_eq!(union.contains(column.as_slice()), least <= 0.0);
    }
    assert!(matches!(Union::new(vec![]), Err(MveeError::Empty { .. })));
    let mixed = Union::new(vec![random(2, 1), random(3, 1)]);
    assert_eq!(mixed, Err(MveeError::Dimension { expected: 2, actual: 3 }));
}

#[test]
fn writing_and_reading_restores_every_bit() {
    let union = Union::new(vec![random(5, 6), random(5, 7)]).unwrap();
    let text = serde_json::to_string(&union).unwrap();
    let read: Union = serde_json::from_str(&text).unwrap();
    assert_eq!(read, union);
    let by_hand: Ellipsoid =
        serde_json::from_str(r#"{"center": [1.0, 2.0], "shape": [[4.0, 0.0], [0.0, 1.0]]}"#)
            .unwrap();
    assert_eq!(by_hand.mahalanobis(&[3.0, 2.0]), 1.0);
    for broken in [
        r#"{"center": [1.0, 2.0], "shape": [[4.0, 9.0], [9.0, 1.0]]}"#,
        r#"{"center": [1.0, 2.0], "shape": [[4.0, 0.0]]}"#,
        r#"{"center": [1.0, 2.0], "factor": [[0.0, 0.0], [0.0, 1.0]]}"#,
        r#"{"center": [1.0, 2.0]}"#,
        r#"{"center": [0.0, 0.0], "factor": [[1.0, 0.0], [0.0, 1.0]], "shape": [[2.0, 0.0], [0.0, 1.0]]}"#,
        r#"{"center": [], "shape": []}"#,
    ] {
        assert!(serde_json::from_str::<Ellipsoid>(broken).is_err(), "{broken}");
    }
    let solution = mvee::Mvee::default().solve(normal(3, 40, &mut rng(1)).as_view()).unwrap();
    let text = serde_json::to_string(&solution).unwrap();
    assert_eq!(serde_json::from_str::<mvee::Solution>(&text).unwrap(), solution);
    let settings: mvee::Mvee = serde_json::from_str(r#"{"tolerance": 1e-9}"#).unwrap();
    assert_eq!(settings, mvee::Mvee::builder().tolerance(1e-9).build().unwrap());
    assert!(serde_json::from_str::<mvee::Mvee>(r#"{"tolerance": -1.0}"#).is_err());
}

#[test]
fn impossible_ellipsoids_are_refused() {
    let zero = DVector::zeros(2);
    let singular = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 1.0, 1.0]);
    let skew = DMatrix::from_row_slice(2, 2, &[2.0, 1.0, 0.0, 2.0]);
    let nan = DMatrix::from_row_slice(2, 2, &[f64::NAN, 0.0, 0.0, 1.0]);
    for shape in [&singular, &skew, &nan] {
        let refused = Ellipsoid::new(zero.clone(), shape.clone());
        assert!(matches!(refused, Err(MveeError::NotPositiveDefinite { .. })), "{shape}");
    }
    assert!(Ellipsoid::from_factor(zero.clone(), &singular).is_err());
    assert!(Ellipsoid::from_factor(zero.clone(), &nan).is_err());
    assert!(Ellipsoid::new(DVector::zeros(3), skew).is_err());
    assert!(Ellipsoid::ball(zero.clone(), 0.0).is_err());
    assert!(Ellipsoid::ball(dvector![f64::NAN, 0.0], 1.0).is_err());
    assert!(Ellipsoid::ball(zero, 1.0).unwrap().scale(-1.0).is_err());
}

/// A shape with a condition number of 1e20 cannot be written out, its factor can.
#[test]
fn a_factor_keeps_what_a_shape_would_lose() {
    let turn = rotation(3, &mut rng(2));
    let factor = &turn * DMatrix::from_diagonal(&dvector![1.0, 1e-5, 1e-10]);
    let e = Ellipsoid::from_factor(DVector::zeros(3), &factor).unwrap();
    assert!((e.ln_det_shape() - 2.0 * 1e-15_f64.ln()).abs() < 1e-5);
    for (k, axis) in [1.0, 1e-5, 1e-10].into_iter().enumerate() {
        assert!(e.distance((turn.column(k) * axis).as_slice()).abs() < 1e-5);
    }
}
