//! The engine against the burn modules.

use nalgebra::{DMatrix, DVector};

use super::*;
use crate::{
    Flow, Precision, default_device,
    testing::{configs, deviation, normals, shaken},
};

fn run(
    engine: &Engine,
    direction: Direction,
    moments: &Standardize,
    x: &DMatrix<f64>,
) -> (DMatrix<f64>, DVector<f64>) {
    let (mut y, mut ln_det) = (x.clone(), DVector::zeros(x.ncols()));
    engine.run(direction, moments, x.as_view(), y.as_mut_slice(), ln_det.as_mut_slice());
    (y, ln_det)
}

/// Every configuration, direction and instruction set against burn in double precision.
///
/// Burn's own single precision is the yardstick. Rounding differs between two correct
/// implementations, and a few samples near steep places carry most of the error: the root mean
/// square may be four times burn's, the worst sample twenty times, each with a floor of 1e-5.
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
            let mut x = normals(config.features, 300, 5).map(|v| scale * v);
            if direction == Direction::Encode {
                x = moments.undo(x.as_view());
            }
            let truth = double.map_by_burn(direction, x.as_view()).unwrap();
            let theirs = single.map_by_burn(direction, x.as_view()).unwrap();
            let points = deviation(&theirs.points, &truth.points);
            let ln_det = deviation(&theirs.ln_det, &truth.ln_det);
            let mut engine = Engine::compile(&config, &state);
            let mut archs = vec![Arch::Scalar, Arch::new()];
            #[cfg(target_arch = "x86_64")]
            archs.extend(pulp::x86::V3::try_new().map(Arch::V3));
            for arch in archs {
                engine.arch = arch;
                let (y, ln) = run(&engine, direction, &moments, &x);
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
    let config = FlowConfig { hidden: 16, steps: 2, ..FlowConfig::new(3) };
    let (state, moments) = shaken(&config);
    let engine = Engine::compile(&config, &state);
    let x = normals(3, 700, 1);
    let go = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&engine, Direction::Decode, &moments, &x))
    };
    let whole = go(1);
    assert_eq!(whole, go(2));
    for (first, n) in [(0, 0), (0, 1), (5, 47), (100, 241), (300, 255)] {
        let part: DMatrix<f64> = x.columns(first, n).into();
        let (y, ln_det) = run(&engine, Direction::Decode, &moments, &part);
        assert_eq!(y, whole.0.columns(first, n));
        assert_eq!(ln_det, whole.1.rows(first, n));
    }
}
