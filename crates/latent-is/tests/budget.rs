//! Budgets are kept, and probabilities stay probabilities.

use latent_is::{
    Adaptive, CrossEntropy, Estimator, FinalStage, FnLimitState, ImprovedCrossEntropy, LimitState,
    Reason, Sequential, StandardNormal, Status, StopReason, problems,
};

fn within(budget: u64) -> Vec<Box<dyn Estimator>> {
    let stage = FinalStage::builder().budget(Some(budget)).build().unwrap();
    vec![
        Box::new(Adaptive::builder().final_stage(stage).build().unwrap()),
        Box::new(CrossEntropy::builder().final_stage(stage).build().unwrap()),
        Box::new(ImprovedCrossEntropy::builder().final_stage(stage).build().unwrap()),
        Box::new(Sequential::builder().final_stage(stage).build().unwrap()),
        Box::new(Sequential::conditional().to_builder().final_stage(stage).build().unwrap()),
    ]
}

#[test]
fn small_budgets_are_kept_and_give_the_best_that_can_be_said() {
    for name in ["linear-2", "two-mode-5", "banana-10", "linear-100"] {
        let problem = problems::by_name(name).unwrap();
        for budget in [500, 1_000, 1_700, 2_500, 5_000] {
            for estimator in within(budget) {
                let nominal = StandardNormal::new(problem.dim());
                let what = format!("{} on {name}, budget {budget}", estimator.name());
                let estimate = estimator.estimate(&nominal, problem, 1).expect(&what);
                assert!(estimate.counts.evaluations <= budget, "{what}: {:?}", estimate.counts);
                let spared = estimate.stopped == StopReason::Converged;
                assert!(
                    spared || estimate.counts.draws >= budget / 3,
                    "{what}: {:?}",
                    estimate.counts
                );
            }
        }
    }
}

/// Where everything fails, weights that sum to more than the number of draws give one, no more.
#[test]
fn a_probability_is_at_most_one() {
    let g = FnLimitState::new(2, |_: &[f64]| -1.0);
    for estimator in within(5_000) {
        for seed in 0..20 {
            let estimate = estimator.estimate(&StandardNormal::new(2), &g, seed).unwrap();
            let interval = estimate.interval(0.95);
            let name = estimator.name();
            assert!(estimate.pf() <= 1.0, "{name}: {}", estimate.pf());
            assert!(
                interval.lower() <= estimate.pf() && estimate.pf() <= interval.upper(),
                "{name}"
            );
        }
    }
}

/// Nine draws in a thousand give NaN at random. Where one of them could be a failure with a large weight, the
/// interval is wide and the verdict says why; where none could, nothing is said.
#[test]
fn nan_draws_that_could_change_the_answer_are_in_the_verdict() {
    let hashed = |x: &[f64]| {
        let bits = x[0].to_bits() ^ x[1].to_bits().rotate_left(17);
        bits.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
    };
    let g = FnLimitState::new(
        2,
        move |x: &[f64]| {
            if hashed(x).is_multiple_of(111) { f64::NAN } else { 3.0 - x[0] }
        },
    );
    let mut wide = 0;
    for seed in 0..40 {
        let estimate = CrossEntropy::default().estimate(&StandardNormal::new(2), &g, seed).unwrap();
        let verdict = estimate.verdict();
        if estimate.interval(0.95).upper() > 1.5 * estimate.pf() {
            wide += 1;
            assert!(verdict.status >= Status::Suspect, "{seed}: {verdict}");
            let named = |reason: &Reason| matches!(reason, Reason::NanBound { .. });
            assert!(verdict.reasons.iter().any(named), "{seed}: {verdict}");
        }
    }
    assert!(wide > 0, "no run has such a draw");
}
