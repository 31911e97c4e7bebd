//! The robot as a model of 121 inputs.

use std::time::Instant;

use nalgebra::DMatrix;
use sim_core::{Model, ModelSimulator, Simulator};
use sim_toy::{Path, Robot, RobotParams};

/// The inputs of a path.
fn inputs_of(path: &Path) -> Vec<f64> {
    let flips = f64::from(u8::from(path.turn_rates[16] < 0.0));
    path.noise.iter().flatten().copied().chain([flips]).collect()
}

#[test]
fn the_inputs_of_a_path_give_its_outcome_to_the_bit() {
    let robot = Robot::default();
    let paths: Vec<Path> = (0..300).map(|i| robot.rollout(3, 5 * i)).collect();
    let columns: Vec<_> = paths.iter().map(|path| inputs_of(path).into()).collect();
    let w = DMatrix::from_columns(&columns);
    let seeds: Vec<u64> = (0..300).collect();
    let found = robot.evaluate(w.as_view(), &seeds).unwrap();
    for (j, path) in paths.iter().enumerate() {
        assert_eq!(found.outputs.column(j).as_slice(), path.outcome().to_array());
        assert!(found.statuses[j].is_done());
    }
    // A part of the batch, with other seeds, in another order.
    let part = robot.evaluate(w.select_columns(&[299, 7]).as_view(), &[1, 1]).unwrap();
    assert_eq!(part.outputs.column(0), found.outputs.column(299));
    assert_eq!(part.outputs.column(1), found.outputs.column(7));
}

/// Means and standard deviations of 100,000 outcomes each; the difference of two means has the standard error
/// sd sqrt(2 / n). The kurtosis of the three coordinates is below 3, so that of two standard deviations
/// is at most sd / sqrt(n). Six comparisons at 4.5: a false alarm once in 24,000 seeds.
#[test]
fn drawn_inputs_have_the_distribution_of_the_simulator() {
    let n = 100_000;
    let model = ModelSimulator::new(Robot::default());
    let (a, b) = (Robot::default().simulate(n, 1), model.simulate(n, 2));
    for i in 0..3 {
        let (a, b) = (a.row(i), b.row(i));
        let sd = a.variance().sqrt();
        let unit = sd / (n as f64).sqrt();
        let (mean, spread) = (a.mean() - b.mean(), sd - b.variance().sqrt());
        assert!(mean.abs() < 4.5 * 2.0_f64.sqrt() * unit, "mean {i}: {mean}");
        assert!(spread.abs() < 4.5 * unit, "sd {i}: {spread}");
    }
}

#[test]
fn inputs_without_deviation_are_constants() {
    let robot = Robot::default();
    assert_eq!((robot.inputs().len(), robot.inputs().latent_dim()), (121, 121));
    let names: Vec<_> = robot.inputs().names().collect();
    assert_eq!((names[0], names[5], names[120]), ("u_1", "omega_2", "flip"));
    let params = RobotParams {
        noise_variance: [0.1, 0.0, 0.01],
        flip_probability: 1.0,
        ..RobotParams::default()
    };
    let certain = Robot::new(params).unwrap();
    assert_eq!((certain.inputs().len(), certain.inputs().latent_dim()), (121, 80));
    assert!((certain.inputs().mean()[120] - 1.0).abs() < 1e-300);
    let never = Robot::new(RobotParams { flip_after: 40, ..RobotParams::default() }).unwrap();
    assert_eq!(never.inputs().latent_dim(), 120);
}

#[test]
fn batches_of_another_shape_are_refused() {
    let robot = Robot::default();
    assert!(robot.evaluate(DMatrix::zeros(120, 2).as_view(), &[0, 0]).is_err());
    assert!(robot.evaluate(DMatrix::zeros(121, 2).as_view(), &[0]).is_err());
    assert_eq!(robot.evaluate(DMatrix::zeros(121, 0).as_view(), &[]).unwrap().statuses, []);
}

/// Prints the speed of evaluations beside that of the simulator, which draws its inputs too.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let (robot, n) = (Robot::default(), 200_000);
    let (w, seeds) = ModelSimulator::new(Robot::default()).inputs(0, n, 1).unwrap();
    let time = |f: &dyn Fn()| {
        let start = Instant::now();
        f();
        n as f64 / start.elapsed().as_secs_f64()
    };
    println!("simulate: {:.0} per second", time(&|| drop(robot.simulate(n, 1))));
    println!("evaluate: {:.0} per second", time(&|| drop(robot.evaluate(w.as_view(), &seeds))));
    let u = sim_core::rng::standard_normal(121, n, 1);
    println!("transform: {:.0} per second", time(&|| drop(robot.inputs().transform(u.as_view()))));
}
