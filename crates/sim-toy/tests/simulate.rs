//! Properties of the sequence of outcomes.

use sim_core::Simulator;
use sim_toy::{Robot, RobotParams, step};

#[test]
fn rollouts_end_where_simulate_ends() {
    let robot = Robot::default();
    let outcomes = robot.simulate(600, 3);
    for index in [0, 1, 255, 256, 511, 599] {
        let path = robot.rollout(3, index);
        assert_eq!(path.poses.len(), 41);
        assert_eq!(
            path.outcome().to_array().as_slice(),
            outcomes.column(index as usize).as_slice()
        );
    }
}

#[test]
fn a_rollout_replays_step_by_step() {
    let robot = Robot::default();
    let mut flipped = 0;
    for index in 0..100 {
        let path = robot.rollout(11, index);
        for i in 0..40 {
            let next = step(path.poses[i], 5.0, path.turn_rates[i], path.noise[i]);
            assert_eq!(next, path.poses[i + 1]);
        }
        let late = if path.turn_rates[16] < 0.0 { -0.1 } else { 0.1 };
        assert_eq!(path.turn_rates, [[0.1; 16].as_slice(), &[late; 24]].concat());
        flipped += usize::from(late < 0.0);
    }
    // Binomial(100, 1/2) leaves 30..=70 with probability 3e-5.
    assert!((30..=70).contains(&flipped), "{flipped} of 100 flipped");
}

#[test]
fn a_longer_run_begins_with_the_shorter_one() {
    let robot = Robot::default();
    let long = robot.simulate(1000, 5);
    for n in [0, 1, 255, 256, 257, 700] {
        assert_eq!(robot.simulate(n, 5), long.columns(0, n));
    }
}

#[test]
fn outcomes_do_not_depend_on_the_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Robot::default().simulate(5000, 9))
    };
    assert_eq!(on(1), on(2));
}

#[test]
fn seeds_and_blocks_give_different_outcomes() {
    let robot = Robot::default();
    let (a, b) = (robot.simulate(512, 1), robot.simulate(512, 2));
    assert_ne!(a.column(0), b.column(0));
    assert_ne!(a.column(0), a.column(256));
}

#[test]
fn without_noise_or_flip_the_robot_drives_a_regular_arc() {
    let params =
        RobotParams { noise_variance: [0.0; 3], flip_probability: 0.0, ..RobotParams::default() };
    let outcome = Robot::new(params).unwrap().rollout(0, 0).outcome();
    let exact = |f: fn(f64) -> f64| (0..40).map(|i| 5.0 * f(0.1 * f64::from(i))).sum::<f64>();
    assert!((outcome.x - exact(f64::cos)).abs() < 1e-12);
    assert!((outcome.y - exact(f64::sin)).abs() < 1e-12);
    assert!((outcome.theta - 4.0).abs() < 1e-12);
}

#[test]
fn runs_that_overflow_come_back_as_nan() {
    let params = RobotParams { speed: 1e308, ..RobotParams::default() };
    let outcomes = Robot::new(params).unwrap().simulate(300, 0);
    assert!(outcomes.iter().all(|v| v.is_nan()));
}
