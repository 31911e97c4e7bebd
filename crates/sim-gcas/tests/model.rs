//! The aircraft as a model of five inputs.

use nalgebra::DMatrix;
use sim_core::{FailureKind, Model, ModelSimulator, Simulator, Status};
use sim_gcas::{Gcas, GcasParams, Initial, index};

#[test]
fn the_inputs_of_a_flight_give_its_outcome_to_the_bit() {
    let gcas = Gcas::default();
    let outcomes = gcas.simulate(300, 3);
    let rows = [index::V, index::ALPHA, index::PHI, index::THETA, index::ALTITUDE];
    let starts: Vec<_> = (0..300).map(|i| gcas.rollout(3, i).start).collect();
    let w = DMatrix::from_fn(5, 300, |i, j| starts[j][rows[i]]);
    let found = gcas.evaluate(w.as_view(), &[0; 300]).unwrap();
    assert_eq!(found.outputs, outcomes);
    assert!(found.statuses.iter().all(Status::is_done));
    // One by one, from the last.
    for j in [299, 256, 0] {
        let one = gcas.evaluate(w.columns(j, 1), &[9]).unwrap();
        assert_eq!(one.outputs.column(0), outcomes.column(j));
    }
}

#[test]
fn inputs_are_those_of_the_settings() {
    let gcas = Gcas::default();
    let Initial { mean, sd } = gcas.params().initial;
    assert_eq!(gcas.inputs().mean().as_slice(), mean);
    assert_eq!(gcas.inputs().sd().as_slice(), sd);
    let names: Vec<_> = gcas.inputs().names().collect();
    assert_eq!(names, ["airspeed", "angle_of_attack", "roll", "pitch", "altitude"]);
    assert_eq!(gcas.inputs().units().collect::<Vec<_>>(), ["ft/s", "rad", "rad", "rad", "ft"]);
    let mut initial = gcas.params().initial;
    initial.sd[2] = 0.0;
    let level = Gcas::new(GcasParams { initial, ..GcasParams::default() }).unwrap();
    assert_eq!((level.inputs().len(), level.inputs().latent_dim()), (5, 4));
}

/// Means and standard deviations of 20,000 outcomes each. Differences of means have the standard error
/// sd sqrt(2 / n); those of medians about 1.25 times that for shapes near the normal (up to 2 times is
/// allowed here). 24 comparisons at 4.5 standard errors: a false alarm at most once in 6,000 seeds.
#[test]
fn drawn_inputs_have_the_distribution_of_the_simulator() {
    let n = 20_000;
    let model = ModelSimulator::new(Gcas::default());
    let (a, b) = (Gcas::default().simulate(n, 1), model.simulate(n, 2));
    let median = |x: &DMatrix<f64>, i: usize| {
        let mut row: Vec<f64> = x.row(i).iter().copied().collect();
        row.sort_by(f64::total_cmp);
        row[n / 2]
    };
    for i in 0..12 {
        let error = (a.row(i).variance() * 2.0 / n as f64).sqrt();
        let mean = (a.row(i).mean() - b.row(i).mean()) / error;
        let middle = (median(&a, i) - median(&b, i)) / (2.0 * error);
        assert!(mean.abs() < 4.5 && middle.abs() < 4.5, "{i}: {mean} {middle}");
    }
}

#[test]
fn a_flight_without_an_outcome_says_so() {
    let gcas = Gcas::default();
    let mut w = DMatrix::from_columns(&[gcas.inputs().mean(), gcas.inputs().mean()]);
    w[(0, 1)] = 0.0; // no airspeed
    let found = gcas.evaluate(w.as_view(), &[0, 0]).unwrap();
    assert!(found.statuses[0].is_done());
    assert!(found.outputs.column(1).iter().all(|v| v.is_nan()));
    assert!(matches!(found.statuses[1], Status::Failed { kind: FailureKind::NotFinite, .. }));
    assert!(gcas.evaluate(w.as_view(), &[0]).is_err());
}
