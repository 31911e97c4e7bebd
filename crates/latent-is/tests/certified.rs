//! The certified estimate over many seeds against known probabilities.

use latent_is::{
    Certified, Estimate, Estimator, EvalError, FnLimitState, LimitState, NanPolicy, Reason,
    StandardNormal, Status, WithNanPolicy, problems, special,
};
use nalgebra::{DMatrix, DMatrixView, DVector};
use rayon::prelude::*;

const SEEDS: u64 = 16;
/// P(X <= 11) = 0.0009 for 16 trials at 0.95.
const LEAST_COVERED: usize = 12;

fn estimates(method: &Certified, g: &dyn LimitState) -> Vec<Estimate> {
    let nominal = StandardNormal::new(g.dim());
    (0..SEEDS).into_par_iter().map(|seed| method.estimate(&nominal, g, seed).unwrap()).collect()
}

fn certified(estimate: &Estimate) -> bool {
    let not = |reason: &Reason| matches!(reason, Reason::NotCertified { .. });
    !estimate.verdict().reasons.iter().any(not)
}

/// Four problems: false alarm once in 250 choices of the seeds, for the intervals; the mean of 16 estimates lies
/// within four of its standard errors.
#[test]
fn intervals_cover_and_certified_estimates_are_close() {
    let method = Certified::builder().budget(30_000).build().unwrap();
    let mut enough = 0;
    for name in ["two-mode-5", "linear-10", "linear-100", "exp-sum-100"] {
        let problem = problems::by_name(name).unwrap();
        let runs = estimates(&method, problem);
        let covered = runs.iter().filter(|e| e.interval(0.95).contains(problem.pf())).count();
        assert!(covered >= LEAST_COVERED, "{name}: {covered} of {SEEDS} intervals cover");
        let ratios: Vec<f64> = runs.iter().map(|e| e.pf() / problem.pf()).collect();
        let n = ratios.len() as f64;
        let mean = ratios.iter().sum::<f64>() / n;
        let variance = ratios.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let z = (mean - 1.0) / (variance / n).sqrt();
        assert!(z.abs() < 4.0, "{name}: mean {mean:.3}, z = {z:.1}");
        // An effective sample size of 200 is a coefficient of variation of 7 %: 30 % are four of them.
        let off = |e: &&Estimate| certified(e) && (e.pf() / problem.pf() - 1.0).abs() > 0.3;
        assert_eq!(runs.iter().filter(off).count(), 0, "{name}");
        enough += runs.iter().filter(|e| certified(e)).count();
    }
    // Otherwise nothing was tested.
    assert!(enough > 32, "{enough}");
}

/// Two linear failure modes, each in coordinates of its own.
struct TwoModes;

const BETA: [f64; 2] = [3.3, 3.9];

impl LimitState for TwoModes {
    fn dim(&self) -> usize {
        60
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let modes = self.evaluate_modes(x)?;
        Ok(DVector::from_iterator(x.ncols(), modes.column_iter().map(|m| m.min())))
    }

    fn modes(&self) -> usize {
        2
    }

    fn evaluate_modes(&self, x: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        Ok(DMatrix::from_fn(2, x.ncols(), |k, j| {
            BETA[k] - x.view((30 * k, j), (30, 1)).sum() / 30_f64.sqrt()
        }))
    }
}

/// Eight estimates of three probabilities: 4.5 standard errors and 2 % (the error of the error) are exceeded once in
/// 6,000 choices of the seeds.
#[test]
fn each_mode_is_searched_for_and_has_its_share() {
    let method = Certified::builder().budget(50_000).build().unwrap();
    let p = BETA.map(|beta| special::normal_cdf(-beta));
    let both = p[0] + p[1] - p[0] * p[1];
    for estimate in &estimates(&method, &TwoModes)[..8] {
        let close = |ln_pf: f64, cov: f64, truth: f64| {
            let off = ln_pf.exp() / truth - 1.0;
            assert!(off.abs() < 4.5 * cov + 0.02 && cov < 0.2, "{off:+.3}, {cov:.3}");
        };
        close(estimate.ln_pf, estimate.cov, both);
        assert_eq!(estimate.modes.len(), 2);
        for (mode, truth) in estimate.modes.iter().zip(p) {
            close(mode.ln_pf, mode.cov, truth);
            // By the chains: a rough figure.
            let rough = (mode.ln_pf_search.unwrap() - truth.ln()).abs();
            assert!(rough < 2.0, "{rough}");
        }
        assert!(estimate.counts.evaluations <= 50_000);
    }
}

#[test]
fn too_few_evaluations_are_said_to_be_too_few() {
    let g = FnLimitState::new(200, |u: &[f64]| 4.5 - u.iter().sum::<f64>() / 200_f64.sqrt());
    let method = Certified::builder().budget(4000).build().unwrap();
    for estimate in &estimates(&method, &g)[..8] {
        let verdict = estimate.verdict();
        assert!(verdict.status >= Status::Suspect, "{verdict}");
        assert!(estimate.counts.failures == 0 || !certified(estimate), "{verdict}");
    }
}

#[test]
fn a_target_ends_the_draws_early() {
    let g = FnLimitState::new(3, |u: &[f64]| 3.0 - u[0]);
    let method = Certified::builder().budget(60_000).target_cov(Some(0.05)).build().unwrap();
    let estimate = method.estimate(&StandardNormal::new(3), &g, 1).unwrap();
    assert!(estimate.cov <= 0.05 && estimate.counts.evaluations < 50_000);
    assert_eq!(estimate.verdict().status, Status::Converged, "{}", estimate.verdict());
}

/// Half of the failures, and nothing else, have no value: the lower end counts them as safe, the upper end as failing.
#[test]
fn missing_values_widen_the_interval() {
    let p = special::normal_cdf(-3.0);
    let g = FnLimitState::new(
        40,
        |u: &[f64]| {
            if u[0] > 3.0 && u[1] > 0.0 { f64::NAN } else { 3.0 - u[0] }
        },
    );
    let method = Certified::default();
    let estimate = method.estimate(&StandardNormal::new(40), &g, 3).unwrap();
    let interval = estimate.interval(0.999);
    assert!(interval.contains(0.5 * p) && interval.contains(p), "{interval:?}");
    let failing = WithNanPolicy::new(&g, NanPolicy::Failure);
    let estimate = method.estimate(&StandardNormal::new(40), &failing, 3).unwrap();
    assert!(estimate.interval(0.999).contains(p));
    assert!(estimate.interval(0.999).lower() > 0.6 * p);
}

#[test]
fn nothing_without_a_value_is_a_vacuous_interval() {
    let g = FnLimitState::new(5, |_: &[f64]| f64::NAN);
    let estimate = Certified::default().estimate(&StandardNormal::new(5), &g, 1).unwrap();
    assert!(estimate.interval(0.95).upper() >= 1.0);
    assert_eq!(estimate.verdict().status, Status::Failed);
}
