//! The race car as a model of its disturbances and a seed.

use nalgebra::DMatrix;
use sim_core::{Model, ModelSimulator, Simulator};
use sim_racing::{History, Racing, RacingParams, index};

fn short(steps: usize) -> Racing {
    Racing::new(RacingParams { steps, ..RacingParams::default() }).unwrap()
}

fn inputs_of(drive: &History) -> Vec<f64> {
    drive.records.iter().flat_map(|record| record.disturbance).collect()
}

#[test]
fn the_disturbances_and_the_seed_of_a_drive_give_its_outcome_to_the_bit() {
    let racing = short(30);
    let seeds: Vec<u64> = (0..20).map(|i| 1000 + 7 * i).collect();
    // Outcome 0 of each seed has the controller that the seed of a sample gives.
    let drives: Vec<History> = seeds.iter().map(|seed| racing.rollout(*seed, 0)).collect();
    let columns: Vec<_> = drives.iter().map(|drive| inputs_of(drive).into()).collect();
    let w = DMatrix::from_columns(&columns);
    let found = racing.evaluate(w.as_view(), &seeds).unwrap();
    for (j, drive) in drives.iter().enumerate() {
        assert_eq!(found.outputs.column(j).as_slice(), drive.end());
    }
    let one = racing.evaluate(w.columns(17, 1), &seeds[17..18]).unwrap();
    assert_eq!(one.outputs.column(0), found.outputs.column(17));
    let other = racing.evaluate(w.columns(17, 1), &[1]).unwrap();
    assert_ne!(other.outputs, one.outputs, "the seed must matter");
}

/// Means of 2,000 outcomes each after 10 steps, when the car still drives straight ahead and all
/// coordinates are close to normal. 6 comparisons of means at 4.5 standard errors: a false alarm once
/// in 24,000 seeds.
#[test]
fn drawn_inputs_have_the_distribution_of_the_simulator() {
    let n = 2_000;
    let (a, b) = (short(10).simulate(n, 1), ModelSimulator::new(short(10)).simulate(n, 2));
    for i in [index::X, index::Y, index::YAW, index::U, index::V, index::R] {
        let error = (a.row(i).variance() * 2.0 / n as f64).sqrt();
        let mean = (a.row(i).mean() - b.row(i).mean()) / error;
        assert!(mean.abs() < 4.5, "{i}: {mean}");
        // The ratio of the standard deviations has the standard error sqrt(1 / n) = 0.022.
        let ratio = (a.row(i).variance() / b.row(i).variance()).sqrt();
        assert!((ratio - 1.0).abs() < 0.12, "{i}: {ratio}");
    }
}

#[test]
fn inputs_are_the_disturbances_of_all_steps() {
    let racing = Racing::default();
    assert_eq!((racing.inputs().len(), racing.inputs().latent_dim()), (603, 603));
    let names: Vec<_> = racing.inputs().names().collect();
    assert_eq!((names[0], names[4], names[602]), ("dx_1", "dy_2", "turn_201"));
    assert!((racing.inputs().sd()[602] - 0.01).abs() < 1e-15);
    let still = RacingParams { disturbance: [0.0, 0.01], ..RacingParams::default() };
    assert_eq!(Racing::new(still).unwrap().inputs().latent_dim(), 201);
    assert!(racing.evaluate(DMatrix::zeros(602, 1).as_view(), &[1]).is_err());
}
