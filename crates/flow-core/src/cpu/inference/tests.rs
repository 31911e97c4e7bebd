//! Packed flows against the burn modules.

use nalgebra::{DMatrix, DVector};

use pulp::Arch;

use super::{direction::Direction, flow::InferenceFlow};
use crate::{
    bijection::standardise::Standardise,
    config::FlowConfig,
    device::{Precision, default_device},
    flow::Flow,
    testing::{configs, deviation, normals, shaken},
    units::Units,
};

fn run(
    flow: &InferenceFlow,
    direction: Direction,
    moments: &Standardise,
    x: &DMatrix<f64>,
) -> (DMatrix<f64>, DVector<f64>) {
    let (mut y, mut ln_det) = (x.clone(), DVector::zeros(x.ncols()));
    flow.run(direction, Some(moments), x.as_view(), y.as_mut_slice(), ln_det.as_mut_slice());
    let mut points = x.clone();
    flow.run_points(direction, Some(moments), x.as_view(), points.as_mut_slice());
    assert_eq!(points, y, "without log-determinants");
    (y, ln_det)
}

/// Every configuration, direction and instruction set against burn in double precision.
///
/// The yardstick is the error of burn in single precision. Rounding differs between two correct
/// implementations, and a few samples at steep places have most of the error: the root mean square may
/// be four times that of burn, the largest error twenty times, each plus 1e-5.
#[test]
fn it_agrees_with_burn_on_every_configuration() {
    let device = default_device();
    for config in configs() {
        let (state, moments) = shaken(&config);
        let flow = |precision| {
            Flow::from_state_dict(&config, moments.clone(), state.clone(), precision, &device)
                .unwrap()
        };
        let (double, single) = (flow(Precision::F64), flow(Precision::F32));
        for (scale, direction) in
            [(1.0, Direction::Encode), (1.0, Direction::Decode), (2.5, Direction::Decode)]
        {
            let mut x = normals(config.features(), 300, 5).map(|v| scale * v);
            if direction == Direction::Encode {
                x = moments.undo(x.as_view());
            }
            let truth = double.evaluator.map_by_burn(direction, Units::Data, x.as_view()).unwrap();
            let theirs = single.evaluator.map_by_burn(direction, Units::Data, x.as_view()).unwrap();
            let points = deviation(&theirs.points, &truth.points);
            let ln_det = deviation(&theirs.ln_det, &truth.ln_det);
            let mut packed = InferenceFlow::pack(&config, &state).unwrap();
            let mut archs = vec![Arch::Scalar, Arch::new()];
            #[cfg(target_arch = "x86_64")]
            archs.extend(pulp::x86::V3::try_new().map(Arch::V3));
            for arch in archs {
                packed.arch = arch;
                let (y, ln) = run(&packed, direction, &moments, &x);
                let (y, ln) = (deviation(&y, &truth.points), deviation(&ln, &truth.ln_det));
                for (ours, burns) in [(y, points), (ln, ln_det)] {
                    assert!(
                        ours[0] <= 4.0 * burns[0] + 1e-5 && ours[1] <= 20.0 * burns[1] + 1e-5,
                        "{config:?} {direction:?} {scale} {arch:?}: {ours:?}, burn {burns:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_sample_does_not_depend_on_threads_or_on_those_beside_it() {
    let config = FlowConfig::builder(3).hidden(16).steps(2).build().unwrap();
    let (state, moments) = shaken(&config);
    let packed = InferenceFlow::pack(&config, &state).unwrap();
    let x = normals(3, 700, 1);
    let go = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&packed, Direction::Decode, &moments, &x))
    };
    let whole = go(1);
    assert_eq!(whole, go(2));
    for (first, n) in [(0, 0), (0, 1), (5, 47), (100, 241), (300, 255)] {
        let part: DMatrix<f64> = x.columns(first, n).into();
        let (y, ln_det) = run(&packed, Direction::Decode, &moments, &part);
        assert_eq!(y, whole.0.columns(first, n));
        assert_eq!(ln_det, whole.1.rows(first, n));
    }
}

#[test]
fn standardised_units_differ_by_the_moments_alone() {
    let config = FlowConfig::builder(3).hidden(16).steps(2).build().unwrap();
    let (state, moments) = shaken(&config);
    for precision in [Precision::F32, Precision::F64] {
        let device = default_device();
        let flow =
            Flow::from_state_dict(&config, moments.clone(), state.clone(), precision, &device)
                .unwrap();
        let (u, standard) = (normals(3, 300, 4), flow.standardised());
        let (x, x_std) = (flow.decode(u.as_view()).unwrap(), standard.decode(u.as_view()).unwrap());
        assert_eq!(moments.undo(x_std.points.as_view()), x.points);
        assert_eq!(x_std.ln_det.add_scalar(-moments.ln_det()), x.ln_det);
        assert_eq!(flow.decode_points(u.as_view()).unwrap(), x.points);
        assert_eq!(standard.decode_points(u.as_view()).unwrap(), x_std.points);
        let standardised = moments.apply(x.points.as_view());
        let (a, b) = (
            flow.encode(x.points.as_view()).unwrap(),
            standard.encode(standardised.as_view()).unwrap(),
        );
        assert_eq!(a.points, b.points);
        assert_eq!(b.ln_det.add_scalar(moments.ln_det()), a.ln_det);
        let difference = flow.ln_pdf(x.points.as_view()).unwrap()
            - standard.ln_pdf(standardised.as_view()).unwrap().add_scalar(moments.ln_det());
        assert!(difference.amax() < 1e-12, "{difference}");
    }
}
