//! Properties of the sequence of outcomes, and comparison of the arithmetics.

use sim_core::Simulator;
use sim_racing::{Arithmetic, Dynamics, Racing, RacingParams, Registers, index};

/// A short race, so that the literal arithmetic is fast enough.
fn short(steps: usize, arithmetic: Arithmetic, registers: Registers) -> Racing {
    Racing::new(RacingParams { steps, arithmetic, registers, ..RacingParams::default() }).unwrap()
}

#[test]
fn registers_change_no_bit() {
    for arithmetic in [Arithmetic::F64, Arithmetic::F32] {
        let scalar = short(60, arithmetic, Registers::Scalar).simulate(19, 1);
        assert_eq!(short(60, arithmetic, Registers::Widest).simulate(19, 1), scalar);
    }
}

#[test]
fn rollouts_end_where_simulate_ends() {
    for arithmetic in [Arithmetic::F64, Arithmetic::F32] {
        let racing = short(40, arithmetic, Registers::Widest);
        let outcomes = racing.simulate(20, 3);
        for i in [0, 1, 15, 16, 19] {
            let drive = racing.rollout(3, i);
            assert_eq!(drive.records.len(), 40);
            assert_eq!(drive.end().as_slice(), outcomes.column(i as usize).as_slice());
        }
    }
}

#[test]
fn a_drive_replays_step_by_step() {
    let racing = short(50, Arithmetic::F64, Registers::Widest);
    let drive = racing.rollout(3, 4);
    let mut before = drive.start;
    for record in &drive.records {
        racing.model().step(&mut before, record.action);
        // Pedal, steering angle and yaw rate are not disturbed; speed keeps its size.
        for i in [index::R, index::STEER, index::PEDAL] {
            assert_eq!(before[i].to_bits(), record.state[i].to_bits());
        }
        let speed = |s: &[f64; 8]| s[index::U].hypot(s[index::V]);
        assert!((speed(&before) - speed(&record.state)).abs() < 1e-12);
        assert!((before[index::X] - record.state[index::X]).abs() < 0.05 * 6.8);
        assert_eq!((record.costs.len(), record.weights.len(), record.plan.len()), (25, 25, 50));
        assert!((record.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(record.plan[49].map(f64::to_bits), [0; 2]);
        before = record.state;
    }
}

#[test]
fn a_longer_run_begins_with_the_shorter_one() {
    let racing = short(10, Arithmetic::F64, Registers::Widest);
    let long = racing.simulate(40, 5);
    for n in [0, 1, 9, 16, 33] {
        assert_eq!(racing.simulate(n, 5), long.columns(0, n));
    }
}

#[test]
fn outcomes_do_not_depend_on_the_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Racing::default().simulate(48, 9))
    };
    assert_eq!(on(1), on(2));
}

/// Vector code against the literal equations, with the same random numbers. Rounding errors about
/// double at every step, so double precision must agree to 1e-10 after 10 steps and single precision
/// (but not to the bit) to 1e-3 after one.
#[test]
fn arithmetics_agree_while_rounding_errors_are_small() {
    let literal = short(10, Arithmetic::Literal, Registers::Widest).simulate(16, 2);
    let lanes = short(10, Arithmetic::F64, Registers::Widest).simulate(16, 2);
    let worst = (&literal - &lanes).amax();
    assert!(worst < 1e-10, "{worst:e}");

    let literal = short(1, Arithmetic::Literal, Registers::Widest).simulate(16, 2);
    let lanes = short(1, Arithmetic::F32, Registers::Widest).simulate(16, 2);
    let worst = (&literal - &lanes).amax();
    assert!(worst < 1e-3 && worst > 0.0, "{worst:e}");
}

#[test]
fn a_car_lost_on_the_way_comes_back_as_nan() {
    let mut start = RacingParams::default().start;
    (start[index::U], start[index::R]) = (1e200, 1e200);
    let params = RacingParams { start, steps: 3, ..RacingParams::default() };
    let outcomes = Racing::new(params).unwrap().simulate(3, 0);
    assert!(outcomes.iter().all(|v| v.is_nan()));
}
