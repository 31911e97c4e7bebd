//! Tyre, control step, track, controller and closed loop against an independent implementation
//! (`tests/data/README.md`), at the tolerances that come with the data.

mod common;

use std::f64::consts::TAU;

use common::load;
use sim_racing::{
    Arithmetic, Axle, CarParams, Dynamics, Mppi, MppiSettings, Racing, RacingParams, State, Track,
};

const ARITHMETICS: [Arithmetic; 2] = [Arithmetic::Literal, Arithmetic::F64];

fn racing(arithmetic: Arithmetic) -> Racing {
    Racing::new(RacingParams { arithmetic, ..RacingParams::default() }).unwrap()
}

fn row<const N: usize>(data: &[f64], i: usize) -> [f64; N] {
    data[N * i..N * (i + 1)].try_into().unwrap()
}

/// Largest absolute difference; NaN counts as infinite.
fn distance(actual: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let error = |(a, e): (&f64, &f64)| if (a - e).is_nan() { f64::INFINITY } else { (a - e).abs() };
    actual.iter().zip(expected).map(error).fold(0.0, f64::max)
}

#[test]
fn side_force() {
    let data = load("tyre");
    let car = CarParams::default();
    assert_eq!(data["fy"].len(), 1950);
    for (i, expected) in data["fy"].iter().enumerate() {
        let axle: Axle = if data["axle"][i] == 0.0 { car.front() } else { car.rear() };
        let (load, force) = (data["fz"][i], data["fx"][i]);
        let close = |actual: f64, expected: f64| {
            let error = (actual - expected).abs();
            assert!(error <= 1e-6 || error <= 1e-10 * expected.abs(), "row {i}: {error:e}");
        };
        close(axle.limit(load, force), data["fy_max"][i]);
        close(axle.side_force(data["alpha"][i], load, force), *expected);
    }
}

#[test]
fn one_control_step() {
    let data = load("step");
    let racing = racing(Arithmetic::Literal);
    assert_eq!(data["reward"].len(), 300);
    let mut worst = 0.0_f64;
    for i in 0..300 {
        let mut state: State = row(&data["state"], i);
        let action = row(&data["action"], i);
        let cost = racing.model().step(&mut state, action);
        assert!((cost + data["reward"][i]).abs() <= 1e-8, "row {i}: reward {}", -cost);
        let expected: State = row(&data["next_state"], i);
        for j in 0..8 {
            let mut error = (state[j] - expected[j]).abs();
            if j == 2 {
                error = error.min((error - TAU).abs());
            }
            let error = error / (1.0 + expected[j].abs());
            assert!(error <= 1e-10, "row {i}, component {j}: {error:e}");
            worst = worst.max(error);
        }
    }
    println!("largest deviation {worst:e}");
}

/// Velocities that put a car in a special case of the slip angles.
const REST: [[f64; 3]; 6] = [
    [0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, 0.0, -0.5],
    [-1.0, 0.0, 0.0],
    [1e-12, -3.0, 0.2],
    [5.0, -20.0, 9.0],
];

/// The vector code shows its states in rewards alone: of the recorded step, and of steps after it.
#[test]
fn control_steps_in_lanes() {
    let data = load("step");
    let mut states: Vec<State> = (0..300).map(|i| row(&data["state"], i)).collect();
    // Cars at rest, with wheels turned, rolling back, sliding sideways, spinning.
    for (state, [u, v, r]) in states.iter_mut().zip(REST) {
        (state[3], state[4], state[5]) = (u, v, r);
    }
    let model = racing(Arithmetic::F64);
    for horizon in [1, 6] {
        let settings = MppiSettings { samples: 1, horizon, ..RacingParams::default().controller };
        let mut controllers = Mppi::new(settings).unwrap().controllers(300);
        let action = |i: usize, t: usize| row::<2>(&data["action"], (i + 7 * t) % 300);
        for i in 0..300 {
            controllers.set_noise(i, |_, t| action(i, t));
        }
        controllers.decide(model.model(), &states);
        for (i, state) in states.iter().enumerate() {
            let mut state = *state;
            let literal: f64 =
                (0..horizon).map(|t| model.model().step(&mut state, action(i, t))).sum();
            let cost = controllers.costs(i)[0];
            if horizon == 1 && i >= REST.len() {
                assert!((cost + data["reward"][i]).abs() <= 1e-8, "row {i}: reward {}", -cost);
            }
            let error = (cost - literal).abs();
            assert!(error <= 1e-8, "row {i}, {horizon} steps: {cost} {literal}");
        }
    }
}

#[test]
fn distance_from_the_center_line() {
    let data = load("track");
    let track = Track::default();
    assert_eq!(data["distance"].len(), 200);
    for (i, expected) in data["distance"].iter().enumerate() {
        let place = track.locate(row(&data["position"], i));
        assert!((place.distance - expected).abs() <= 1e-9, "row {i}: {}", place.distance);
        assert_eq!(place.nearest, data["nearest"][i] as usize, "row {i}");
        assert_eq!(place.neighbour, data["neighbour"][i] as usize, "row {i}");
        assert_eq!(place.inside, data["within"][i] > 0.5, "row {i}");
    }
}

/// Row `i` of plans, 50 pairs each.
fn plan(data: &[f64], i: usize) -> Vec<[f64; 2]> {
    data[100 * i..100 * (i + 1)].as_chunks().0.to_vec()
}

#[test]
fn controller() {
    let data = load("mppi");
    for arithmetic in ARITHMETICS {
        let racing = racing(arithmetic);
        let mut controllers = racing.mppi().controllers(5);
        for i in 0..5 {
            controllers.plan_mut(i).copy_from_slice(&plan(&data["plan"], i));
            controllers.set_noise(i, |k, t| row(&data["noise"], (i * 25 + k) * 50 + t));
        }
        let states: Vec<State> = (0..5).map(|i| row(&data["state"], i)).collect();
        let actions = controllers.decide(racing.model(), &states).to_vec();
        let mut worst = 0.0_f64;
        for (i, action) in actions.iter().enumerate() {
            let costs = &data["costs"][25 * i..25 * (i + 1)];
            for (cost, expected) in controllers.costs(i).iter().zip(costs) {
                let error = (cost - expected).abs() / expected.abs();
                assert!(error <= 1e-10, "{arithmetic:?} {i}: cost {cost} {expected}");
                worst = worst.max(error);
            }
            let weights = &data["weights"][25 * i..25 * (i + 1)];
            assert!(distance(controllers.weights(i), weights) <= 1e-9);
            let expected = plan(&data["new_plan"], i);
            assert!(distance(controllers.plan(i).as_flattened(), expected.as_flattened()) <= 1e-9);
            assert!(distance(action, &data["action"][2 * i..2 * i + 2]) <= 1e-9);
        }
        println!("{arithmetic:?}: largest relative deviation of a cost {worst:e}");
    }
}

#[test]
fn closed_loop() {
    let data = load("closed_loop");
    let sd = [0.25, 0.1_f64.sqrt()];
    for arithmetic in ARITHMETICS {
        let racing = racing(arithmetic);
        let mut controllers = racing.mppi().controllers(8);
        let mut states: Vec<State> = (0..8).map(|run| row(&data["initial_state"], run)).collect();
        for run in 0..8 {
            controllers.plan_mut(run).copy_from_slice(&plan(&data["initial_plan"], run));
        }
        let mut worst = [0.0_f64; 30];
        for i in 0..30 {
            for run in 0..8 {
                controllers.set_noise(run, |k, t| {
                    let place = ((run * 30 + i) * 25 + k) * 50 + t;
                    let [s, p] = row(&data["noise"], place);
                    [sd[0] * s, sd[1] * p]
                });
            }
            let actions = controllers.decide(racing.model(), &states).to_vec();
            for (run, state) in states.iter_mut().enumerate() {
                racing.model().step(state, actions[run]);
                *state = racing.disturb(state, row(&data["disturbance"], 30 * run + i));
                let expected = &data["states"][8 * (31 * run + i + 1)..][..8];
                worst[i] = worst[i].max(distance(state, expected));
                let least = controllers.costs(run).iter().copied().fold(f64::INFINITY, f64::min);
                let expected = data["min_cost"][30 * run + i];
                let error = (least - expected).abs() / expected.abs();
                assert!(error <= 1e-6, "{arithmetic:?} step {}: {least} {expected}", i + 1);
            }
            // Rounding errors about double at every step.
            let tolerance = [1e-10, 1e-8, 1e-5][usize::from(i >= 5) + usize::from(i >= 10)];
            assert!(worst[i] <= tolerance, "{arithmetic:?} step {}: {:e}", i + 1, worst[i]);
        }
        println!("{arithmetic:?}: deviation {:e} {:e} {:e}", worst[4], worst[9], worst[29]);
    }
}
