//! Subset simulation over many seeds against known probabilities.
//!
//! Thresholds that follow the particles bias the estimate by the order of its squared coefficient of
//! variation; the mean over the seeds must lie within that and four standard errors of the truth.
//! The reported coefficient of variation rests on some fifty families of common descent: 95 % intervals
//! are held to covering in 88 % of runs, which a method that covers in 88 % fails less than once in
//! 10,000 cases.

use latent_is::{
    Estimate, Estimator, FnLimitState, LimitState, Reason, StandardNormal, Status, Stepwise,
    StopReason, SubsetSimulation, problems,
};
use rayon::prelude::*;

const SEEDS: u64 = 60;
/// P(X <= 40) < 0.00005 and P(X <= 41) = 0.00005 for 60 trials at 0.88.
const LEAST_COVERED: usize = 42;

/// The estimates of all seeds.
fn estimates(method: &SubsetSimulation, problem: &problems::Problem) -> Vec<Estimate> {
    let nominal = StandardNormal::new(problem.dim());
    let estimate = |seed| method.estimate(&nominal, problem, seed).unwrap();
    (0..SEEDS).into_par_iter().map(estimate).collect()
}

#[test]
fn probabilities_are_right_in_any_dimension() {
    let method = SubsetSimulation::default();
    for name in ["parabolic-2", "two-mode-5", "linear-100", "exp-sum-100", "sphere-50"] {
        let problem = problems::by_name(name).unwrap();
        let runs = estimates(&method, problem);
        let n = runs.len() as f64;
        let mean = runs.iter().map(|e| e.pf() / problem.pf()).sum::<f64>() / n;
        let variance =
            runs.iter().map(|e| (e.pf() / problem.pf() - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let bound = 4.0 * (variance / n).sqrt() + variance;
        assert!((mean - 1.0).abs() < bound, "{name}: bias {:+.3}, bound {bound:.3}", mean - 1.0);
        let covered = runs.iter().filter(|e| e.interval(0.95).contains(problem.pf())).count();
        assert!(covered >= LEAST_COVERED, "{name}: {covered} of {SEEDS} intervals cover");
    }
}

/// Runs until their mean has a coefficient of variation of 10 %: the intervals cover in at least 88 % as above. Where
/// single runs lose a mode ("misleading-2"), most estimates say that the runs disagree.
#[test]
fn independent_runs_reach_a_target_and_tell_when_they_differ() {
    let method =
        SubsetSimulation::builder().target_cov(Some(0.1)).budget(Some(100_000)).build().unwrap();
    for name in ["two-mode-5", "exp-sum-100", "misleading-2"] {
        let problem = problems::by_name(name).unwrap();
        let runs = estimates(&method, problem);
        let disagree = |e: &&Estimate| {
            e.verdict().reasons.iter().any(|r| matches!(r, Reason::RunsDisagree { .. }))
        };
        let differ = runs.iter().filter(disagree).count();
        if name == "misleading-2" {
            assert!(differ > SEEDS as usize / 2, "{differ} of {SEEDS}");
            continue;
        }
        // At 1 % each: 5 or more of 60 with probability 0.0003.
        assert!(differ < 5, "{name}: {differ} of {SEEDS}");
        let covered = runs.iter().filter(|e| e.interval(0.95).contains(problem.pf())).count();
        assert!(covered >= LEAST_COVERED, "{name}: {covered} of {SEEDS} intervals cover");
        for e in &runs {
            let record = e.checks.runs.unwrap();
            let spent = e.stopped == StopReason::Budget && e.counts.evaluations > 80_000;
            assert!(record.runs >= 5 && (e.cov <= 0.1 || spent), "{name}: {}", e.verdict());
            assert!(e.counts.evaluations <= 110_000, "{name}");
        }
    }
}

#[test]
fn a_spent_budget_and_a_single_run_are_said() {
    let problem = problems::by_name("two-mode-5").unwrap();
    let nominal = StandardNormal::new(5);
    let one = SubsetSimulation::default().estimate(&nominal, problem, 3).unwrap();
    let method = |budget| {
        let builder = SubsetSimulation::builder().target_cov(Some(0.02)).budget(Some(budget));
        builder.build().unwrap().estimate(&nominal, problem, 3).unwrap()
    };
    // The first run is that of the seed.
    let small = method(100);
    assert_eq!(small.ln_pf.to_bits(), one.ln_pf.to_bits());
    assert_eq!(small.counts.evaluations, one.counts.evaluations);
    let large = method(60_000);
    assert!(large.checks.runs.unwrap().runs >= 5 && large.cov < one.cov);
    for e in [small, large] {
        assert_eq!(e.stopped, StopReason::Budget);
        // Chains alone are suspect in any case.
        let verdict = e.verdict();
        assert_eq!(verdict.status, Status::Suspect, "{verdict}");
        assert!(verdict.reasons.iter().any(|r| matches!(r, Reason::Target { .. })), "{verdict}");
    }
    assert!(SubsetSimulation::builder().target_cov(Some(0.0)).build().is_err());
}

#[test]
fn a_run_resumes_from_its_written_state() {
    let problem = problems::by_name("two-mode-5").unwrap();
    let method = SubsetSimulation::builder().samples_per_level(500).build().unwrap();
    let run = |written: bool| {
        let mut state = method.init(5);
        while !state.done() {
            if written {
                state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
            }
            state = method.step(&StandardNormal::new(5), problem, 3, state).unwrap();
        }
        state
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn an_impossible_event_fails_with_a_bound() {
    let g = FnLimitState::new(2, |u: &[f64]| 1.0 + u[0].abs());
    let e = SubsetSimulation::default().estimate(&StandardNormal::new(2), &g, 1).unwrap();
    assert!(e.stopped != StopReason::Converged && e.counts.failures == 0 && g.dim() == 2);
    assert_eq!(e.verdict().status, Status::Failed);
    assert!(e.interval(0.95).upper() > 1e-3);
    let nothing = FnLimitState::new(2, |_: &[f64]| f64::NAN);
    let e = SubsetSimulation::default().estimate(&StandardNormal::new(2), &nothing, 1).unwrap();
    assert_eq!(e.counts.nan_evaluations, e.counts.evaluations);
    assert_eq!(e.verdict().status, Status::Failed);
    assert!(SubsetSimulation::builder().level_probability(0.0).build().is_err());
}

/// Without a value nothing is known; with half of the failures NaN the interval reaches from the other half to all.
#[test]
fn missing_values_widen_the_interval() {
    let method = SubsetSimulation::default();
    let g = FnLimitState::new(3, |_: &[f64]| f64::NAN);
    let nothing = method.estimate(&StandardNormal::new(3), &g, 1).unwrap();
    assert!(nothing.interval(0.95).upper() >= 1.0);
    let g = FnLimitState::new(
        3,
        |u: &[f64]| {
            if u[0] > 3.0 && u[1] > 0.0 { f64::NAN } else { 3.0 - u[0] }
        },
    );
    let half = method.estimate(&StandardNormal::new(3), &g, 1).unwrap();
    let (interval, p) = (half.interval(0.999), latent_is::special::normal_cdf(-3.0));
    assert!(interval.contains(0.5 * p) && interval.contains(p), "{interval:?}");
}
