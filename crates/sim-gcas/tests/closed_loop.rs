//! Whole flights against recordings of the reference program (`tests/data/README.md`): both
//! autopilots, both integrators, nominal and extreme starts, every record within 1e-9.

mod common;

use common::load;
use nalgebra::DMatrix;
use sim_gcas::{Autopilot, Gcas, GcasParams, History, Integrator, Mode, State};

const TOLERANCE: f64 = 1e-9;

fn state(row: &[f64]) -> State {
    std::array::from_fn(|i| row[i])
}

/// Largest |difference| / (1 + |expected|).
fn error(actual: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let one = |(a, e): (&f64, &f64)| (a - e).abs() / (1.0 + e.abs());
    actual.iter().zip(expected).map(one).fold(0.0, |worst, e| if e > worst { e } else { worst })
}

/// Flies every start and compares the states at the recorded steps.
fn check(params: GcasParams, starts: &[f64], records: &[f64], states: &[f64]) -> Vec<History> {
    let gcas = Gcas::new(params).unwrap();
    let mut histories = Vec::new();
    let mut worst = 0.0_f64;
    for (start, expected) in starts.chunks_exact(16).zip(states.chunks_exact(16 * records.len())) {
        let history = gcas.rollout_from(state(start));
        for (record, expected) in records.iter().zip(expected.chunks_exact(16)) {
            let actual = history.records[*record as usize].state;
            assert!(actual.iter().all(|v| v.is_finite()));
            worst = worst.max(error(&actual, expected));
        }
        histories.push(history);
    }
    println!("largest deviation {worst:e} in {} flights", histories.len());
    assert!(histories.len() * 16 == starts.len() && worst <= TOLERANCE, "{worst:e}");
    histories
}

#[test]
fn memoryless_euler_as_published() {
    let data = load("closed_loop");
    let params = GcasParams::default();
    check(params, &data["x0"], &data["recorded_steps"], &data["states"]);

    // Every inner step: modes at steps 0, 50, ..., and how often they change.
    let gcas = Gcas::new(GcasParams { record_every: 1, ..params }).unwrap();
    for (i, start) in data["x0"].chunks_exact(16).enumerate() {
        let modes: Vec<Mode> =
            gcas.rollout_from(state(start)).records.iter().map(|r| r.mode).collect();
        let every50: Vec<f64> = modes.iter().step_by(50).map(|m| f64::from(*m as u8)).collect();
        assert_eq!(every50, data["mode_at_inner_step_every50"][30 * i..30 * (i + 1)], "flight {i}");
        let switches = modes.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(switches, data["mode_switches"][i] as usize, "flight {i}");
    }
}

#[test]
fn features_of_given_starts() {
    let data = load("closed_loop");
    let starts = DMatrix::from_column_slice(16, data["x0"].len() / 16, &data["x0"]);
    let features = Gcas::default().simulate_from(starts.as_view()).unwrap();
    let worst = error(features.as_slice(), &data["final_features"]);
    assert!(worst <= TOLERANCE, "{worst:e}");
}

#[test]
fn runge_kutta() {
    let data = load("closed_loop");
    let params = GcasParams { integrator: Integrator::Rk4, ..GcasParams::default() };
    check(params, &data["option_x0"], &data["recorded_steps"], &data["rk4_states"]);
}

#[test]
fn autopilot_with_memory() {
    let data = load("closed_loop");
    let autopilot = Autopilot::Stateful { start: Mode::Standby, period: 1 };
    let params = GcasParams { autopilot, steps: 2000, ..GcasParams::default() };
    let starts = &data["option_x0"];
    let histories = check(params, starts, &data["recorded_steps"], &data["stateful_states"]);
    for (i, history) in histories.iter().enumerate() {
        let expected = &data["stateful_state_t4"][16 * i..16 * (i + 1)];
        assert!(error(&history.end(), expected) <= TOLERANCE);
        let modes: Vec<f64> =
            history.records.iter().step_by(5).map(|r| f64::from(r.mode as u8)).collect();
        assert_eq!(modes, data["stateful_mode"][40 * i..40 * (i + 1)], "flight {i}");
    }
}
