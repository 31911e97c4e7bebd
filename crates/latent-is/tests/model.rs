//! Models in the loop: estimators on `ModelLimitState` against known probabilities, and what happens to
//! samples without an outcome.

use std::sync::Arc;

use inputs::{Constant, Inputs, Normal};
use latent_is::{
    Adaptive, Budget, Estimator, EvalError, FinalStage, LimitState, ModelLimitState, MonteCarlo,
    NanPolicy, Run, StandardNormal, SubsetSimulation, latent, model_limit_state::Failures,
};
use mvee::Mvee;
use nalgebra::{DMatrix, DMatrixView, DVector};
use rand_distr::{Distribution, StandardNormal as Draw};
use sim_core::{Evaluations, FailureKind, Feature, Model, ModelError, Status, rng};
use sim_gcas::{Criterion, Gcas};
use sim_toy::{REFERENCE_MEAN, REFERENCE_SD, Robot, failure_regions};

/// The aircraft is too low or its nose too high. The probability is 0.012079 with the standard error
/// 0.000109 by crude Monte Carlo: 1,000,000 runs of the reference program (`sim-gcas/tests/data/distribution.json`).
///
/// The mean over 8 seeds is compared with it at 4.5 standard errors, of the seeds' scatter (8 seeds: the
/// t distribution with 7 degrees of freedom exceeds 4.5 with probability 0.003) and of the reference; for
/// subset simulation the square of its coefficient of variation is allowed as bias. With two methods a
/// false alarm once in 160 choices of the seeds.
#[test]
fn adaptive_and_subset_estimates_on_the_aircraft_are_those_of_crude_monte_carlo() {
    let (reference, reference_se) = (0.012079, 1.0924e-4);
    let stage = FinalStage::builder().budget(Some(5_000)).build().unwrap();
    let adaptive = Adaptive::builder().final_stage(stage).build().unwrap();
    let subset = SubsetSimulation::default();
    let methods: [(&str, &dyn Estimator); 2] = [("adaptive", &adaptive), ("subset", &subset)];
    let gcas = Gcas::default();
    for (name, method) in methods {
        let pfs: Vec<f64> = (0..8)
            .map(|seed| {
                let criterion = |x: &[f64]| Criterion::Thresholds.limit(x);
                let g = ModelLimitState::new(&gcas, criterion, seed).unwrap();
                let estimate = method.estimate(&StandardNormal::new(5), &g, seed).unwrap();
                assert!(estimate.counts.evaluations <= 6_000, "{name}");
                assert!(g.failures().is_empty());
                estimate.pf()
            })
            .collect();
        let mean = pfs.iter().sum::<f64>() / 8.0;
        let variance = pfs.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / 7.0;
        let bias = if name == "subset" { variance / mean } else { 0.0 };
        let bound = 4.5 * (variance / 8.0 + reference_se * reference_se).sqrt() + bias;
        assert!((mean - reference).abs() < bound, "{name}: {mean}, bound {bound}: {pfs:?}");
        assert!(bound < 0.004, "{name}: the bound {bound} says nothing");
    }
}

/// The robot ends in a failure region with probability 7.21e-3 (`sim-toy`). 60,000 draws of its 121 inputs
/// have the standard error 3.5e-4; at 4.5 of them, with the last digit of the reference, a false alarm once
/// in 150,000 seeds.
#[test]
fn the_robot_fails_as_often_by_its_inputs_as_by_its_simulator() {
    let union = latent::enclose(&failure_regions(), &Mvee::builder().build().unwrap()).unwrap();
    let criterion = |x: &[f64]| {
        let z = DMatrix::from_fn(3, 1, |i, _| (x[i] - REFERENCE_MEAN[i]) / REFERENCE_SD[i]);
        union.distances(z.as_view())[0]
    };
    let g = ModelLimitState::new(Robot::default(), criterion, 1).unwrap();
    let method = MonteCarlo::builder().budget(60_000).target_cov(None).build().unwrap();
    let estimate = method.estimate(&StandardNormal::new(121), &g, 5).unwrap();
    assert!((estimate.pf() - 7.21e-3).abs() < 4.5 * 3.5e-4, "{}", estimate.pf());
}

/// The sum of an input and of a number made of the seed; no outcome below -1.5.
struct Noisy {
    inputs: Inputs,
    outputs: [Feature; 1],
    reports: bool,
}

impl Noisy {
    fn new(reports: bool) -> Self {
        let inputs = Inputs::builder()
            .input("x", "1", Normal::new(10.0, 1.0).unwrap())
            .input("fixed", "1", Constant::new(10.0).unwrap())
            .build()
            .unwrap();
        Self { inputs, outputs: [Feature::new("sum", "1")], reports }
    }
}

impl Model for Noisy {
    fn name(&self) -> &'static str {
        "noisy"
    }

    fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    fn outputs(&self) -> &[Feature] {
        &self.outputs
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        self.check(w, seeds)?;
        let mut found = Evaluations::from_outputs(DMatrix::from_fn(1, seeds.len(), |_, j| {
            let noise: f64 = Draw.sample(&mut rng::stream(seeds[j], 0));
            w[(0, j)] - w[(1, j)] + noise
        }));
        let message: Arc<str> = "diverged".into();
        for j in (0..seeds.len()).filter(|j| self.reports && w[(0, *j)] < 8.5) {
            found.outputs[(0, j)] = f64::NAN;
            found.statuses[j] = Status::failed(FailureKind::Reported, Arc::clone(&message));
        }
        Ok(found)
    }
}

/// The sum of two standard normal numbers exceeds 3 sqrt(2) with probability 1.3499e-3, whichever of the two
/// an estimator sees. Over 20 seeds of run and model at 4.5 standard errors (t with 19 degrees of freedom):
/// a false alarm once in 4,000 choices.
#[test]
fn a_probability_is_over_inputs_and_seeds() {
    let (exact, n) = (1.349_898e-3, 20_u64);
    let limit = 3.0 * 2.0_f64.sqrt();
    let pfs: Vec<f64> = (0..n)
        .map(|seed| {
            let g =
                ModelLimitState::new(Noisy::new(false), |x: &[f64]| limit - x[0], seed).unwrap();
            Adaptive::default().estimate(&StandardNormal::new(1), &g, seed).unwrap().pf()
        })
        .collect();
    let mean = pfs.iter().sum::<f64>() / n as f64;
    let sd = (pfs.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (n - 1) as f64).sqrt();
    let z = (mean - exact) / (sd / (n as f64).sqrt());
    assert!(z.abs() < 4.5, "z = {z:.2}: mean {mean:.3e}, exact {exact:.3e}");
    assert!(sd < 0.5 * exact, "{sd}");
}

#[test]
fn a_sample_has_one_outcome_in_any_batch_and_can_be_run_again() {
    let model = Noisy::new(false);
    let g = ModelLimitState::new(&model, |x: &[f64]| x[0], 3).unwrap();
    let u = rng::standard_normal(1, 200, 1);
    let all = g.evaluate(u.as_view()).unwrap();
    let last = g.evaluate(u.columns(199, 1)).unwrap();
    assert_eq!(last[0].to_bits(), all[199].to_bits());
    let (w, seeds) = g.inputs_and_seeds(u.as_view()).unwrap();
    let again = model.evaluate(w.as_view(), &seeds).unwrap().outputs;
    assert_eq!(again.as_slice(), all.as_slice());
    let other = ModelLimitState::new(&model, |x: &[f64]| x[0], 4).unwrap();
    assert!(
        other
            .evaluate(u.as_view())
            .unwrap()
            .iter()
            .zip(&all)
            .all(|(a, b)| a.to_bits() != b.to_bits())
    );
}

fn evaluate<C: Fn(&[f64]) -> f64 + Sync>(
    criterion: C,
    policy: NanPolicy,
) -> (Result<DVector<f64>, EvalError>, Vec<Failures>) {
    let g = ModelLimitState::new(Noisy::new(true), criterion, 3).unwrap().with_policy(policy);
    let u = DMatrix::from_row_slice(1, 4, &[0.0, -2.0, 1.0, -3.0]);
    (g.evaluate(u.as_view()), g.failures())
}

#[test]
fn a_policy_says_what_a_sample_without_an_outcome_counts_as() {
    let criterion = |x: &[f64]| 100.0 - x[0];
    let (values, failures) = evaluate(criterion, NanPolicy::Unknown);
    let values = values.unwrap();
    assert!(values[1].is_nan() && values[3].is_nan() && values[0] > 90.0 && values[2] > 90.0);
    assert_eq!((failures[0].kind, failures[0].count), (FailureKind::Reported, 2));
    assert_eq!((failures.len(), failures[0].message.as_str()), (1, "diverged"));
    let (values, failures) = evaluate(criterion, NanPolicy::Failure);
    let values = values.unwrap();
    assert!(values[1] <= 0.0 && values[3] <= 0.0 && values[0] > 90.0 && failures[0].count == 2);
    let (error, failures) = evaluate(criterion, NanPolicy::Abort);
    let message = error.unwrap_err().to_string();
    let expected =
        "the model has no outcome for 2 of 4 samples, the first at inputs [8.0, 10.0] with seed";
    assert!(message.starts_with(expected) && message.ends_with(": diverged"), "{message}");
    assert_eq!(failures[0].count, 2);
}

#[test]
fn a_panic_of_the_criterion_is_a_sample_without_an_outcome() {
    let criterion = |x: &[f64]| {
        assert!(x.len() == 2, "two outputs are needed");
        x[1]
    };
    let (values, failures) = evaluate(criterion, NanPolicy::Unknown);
    assert!(values.unwrap().iter().all(|v| v.is_nan()));
    let crashed = failures.iter().find(|f| f.kind == FailureKind::Crashed).unwrap();
    assert_eq!((crashed.count, crashed.message.as_str()), (2, "criterion: two outputs are needed"));
}

#[test]
fn a_criterion_that_is_nan_falls_under_the_policy() {
    let (values, failures) = evaluate(|_| f64::NAN, NanPolicy::Failure);
    assert!(values.unwrap().iter().all(|v| *v <= 0.0));
    let nan = failures.iter().find(|f| f.kind == FailureKind::NotFinite).unwrap();
    assert_eq!((nan.count, nan.message.as_str()), (2, "the criterion is NaN"));
    let (error, _) = evaluate(|_| f64::NAN, NanPolicy::Abort);
    assert!(error.unwrap_err().to_string().contains("for 4 of 4 samples"));
}

/// P(x < -1.5) = 0.0668 of the samples have no outcome: counted by the run, and inside the interval.
#[test]
fn samples_without_an_outcome_are_in_the_result() {
    let g = ModelLimitState::new(Noisy::new(true), |x: &[f64]| 2.0 - x[0], 3).unwrap();
    let method = MonteCarlo::builder().budget(20_000).target_cov(None).build().unwrap();
    let budget = Budget { evaluations: Some(20_000), ..Budget::default() };
    let outcome =
        Run::new(&method).seed(7).budget(budget).start(&StandardNormal::new(1), &g).unwrap();
    let estimate = outcome.estimate.unwrap();
    // Binomial(20000, 0.0668): 1336 with standard deviation 35; 4.5 of them.
    let counted = estimate.counts.nan_evaluations;
    assert!((counted as f64 - 1336.0).abs() < 4.5 * 35.0, "{counted}");
    assert_eq!(g.failures()[0].count, counted);
    // With the sum of both normals P(x + e > 2) = 0.0786; hidden below -1.5 is a part of 1.5e-5.
    let interval = estimate.interval(0.999);
    assert!(interval.contains(0.0786) && interval.upper() > 0.0786 + 0.06);
}

#[test]
fn a_model_without_random_inputs_is_refused() {
    let mut model = Noisy::new(false);
    model.inputs = Inputs::builder().input("x", "1", Constant::new(1.0).unwrap()).build().unwrap();
    let error = ModelLimitState::new(&model, |x: &[f64]| x[0], 3).err().unwrap().to_string();
    assert_eq!(error, "the number of random inputs must be at least 1, got 0");
    let g = ModelLimitState::new(Noisy::new(false), |x: &[f64]| x[0], 3).unwrap();
    assert!(g.evaluate(DMatrix::zeros(2, 1).as_view()).is_err());
}
