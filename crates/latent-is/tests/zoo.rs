//! Bias, intervals and verdicts over the problems with known answers.
//!
//! Fast: the default cross-entropy in many coordinates. Slow (`--ignored`): every problem with every method
//! that is meant for it; `cargo xtask zoo` prints the same figures as tables.

use latent_is::metrics::{Confusion, Repeated, Repetition};
use latent_is::{
    Adaptive, CrossEntropy, Estimator, ImprovedCrossEntropy, LimitState, Sequential,
    StandardNormal, problems,
};
use rayon::prelude::*;

fn repeated(method: &dyn Estimator, name: &str, runs: u64) -> Repeated {
    let problem = problems::by_name(name).unwrap();
    let nominal = StandardNormal::new(problem.dim());
    let run = |seed| Repetition::from(&method.estimate(&nominal, problem, 40 + seed).unwrap());
    let runs: Vec<Repetition> = (0..runs).into_par_iter().map(run).collect();
    Repeated::new(&runs, problem.pf()).unwrap()
}

/// Names of the problems with a number of coordinates in `dims`.
fn named(dims: std::ops::RangeInclusive<usize>) -> Vec<&'static str> {
    let inside = problems::all().iter().filter(|p| dims.contains(&p.dim()));
    inside.map(problems::Problem::name).collect()
}

/// With full covariances the RMSE was 12 % and more; six runs at 3 % each stay below 8 %: a chi-square
/// variable with six degrees of freedom exceeds 42 in less than one case in a million.
#[test]
fn many_coordinates_are_within_reach() {
    let r = repeated(&CrossEntropy::default(), "sphere-50", 6);
    assert!(r.rmse < 0.08 && r.errors == 0, "{r:?}");
}

/// Runs `method` on the problems, holds the mean over the seeds to four standard errors on all but the
/// `unsuited`, and returns the confusion of verdicts over all and the mean coverage over the suited.
fn judge(
    what: &str,
    method: &dyn Estimator,
    names: &[&str],
    unsuited: &[&str],
) -> (Confusion, f64) {
    let runs = 30;
    let all: Vec<(&str, Repeated)> =
        names.iter().map(|name| (*name, repeated(method, name, runs))).collect();
    let suited: Vec<&(&str, Repeated)> =
        all.iter().filter(|(name, _)| !unsuited.contains(name)).collect();
    for (name, r) in &suited {
        let z = r.bias / (r.cov / (runs as f64).sqrt());
        // Rays solve spheres but for rounding.
        assert!(z.abs() < 4.0 || r.bias.abs() < 1e-12, "{what} on {name}: z = {z:.2}, {r:?}");
    }
    let coverage = suited.iter().map(|(_, r)| r.coverage).sum::<f64>() / suited.len() as f64;
    let confusion = all.iter().fold(Confusion::default(), |sum, (_, r)| sum + r.confusion);
    println!("{what}: {confusion:?}, coverage {coverage:.3}");
    (confusion, coverage)
}

/// Four standard errors are exceeded by a Student's t with 29 degrees of freedom in one case of 2,500.
/// With a rate of hidden large errors of 0.1 % among some 540 runs, four or more come up in one case in
/// 300; the coverage of a method that covers in 93 % falls below 0.89 in one of 10,000.
fn assert_honest(what: &str, method: &dyn Estimator, unsuited: &[&str]) {
    let (confusion, coverage) = judge(what, method, &named(2..=10), unsuited);
    assert!(confusion.off_converged <= 3, "{what}: {confusion:?}");
    assert!(coverage > 0.89, "{what}: {coverage}");
}

// banana-10 ends at its budget with heavy tails, which its verdict says; its intervals are short.
const UNSUITED: &[&str] = &["banana-10"];

#[test]
#[ignore = "slow: a minute or two, the zoo up to ten coordinates, thirty seeds a problem"]
fn cross_entropy_is_honest_over_the_zoo() {
    assert_honest("cross-entropy", &CrossEntropy::default(), UNSUITED);
}

#[test]
#[ignore = "slow: some minutes, the zoo up to ten coordinates, thirty seeds a problem"]
fn adaptive_is_honest_over_the_zoo() {
    assert_honest("adaptive", &Adaptive::default(), UNSUITED);
}

#[test]
#[ignore = "slow: a minute or two, the zoo up to ten coordinates, thirty seeds a problem"]
fn improved_cross_entropy_is_honest_over_the_zoo() {
    assert_honest("improved cross-entropy", &ImprovedCrossEntropy::default(), UNSUITED);
}

#[test]
#[ignore = "slow: a minute or two, the zoo up to ten coordinates, thirty seeds a problem"]
fn sequential_is_honest_over_the_zoo() {
    assert_honest("sequential", &Sequential::default(), UNSUITED);
}

#[test]
#[ignore = "slow: a minute or two, the zoo up to ten coordinates, thirty seeds a problem"]
fn conditional_moves_are_honest_over_the_zoo() {
    assert_honest("conditional moves", &Sequential::conditional(), UNSUITED);
}

/// Fifty and a hundred coordinates, eight seeds: within 15 % (RMSE) unless flagged, and no large error
/// goes unflagged.
#[test]
#[ignore = "slow: some minutes, fifty and a hundred coordinates"]
fn many_coordinates_are_honest() {
    let methods: [(&str, &dyn Estimator); 3] = [
        ("cross-entropy", &CrossEntropy::default()),
        ("improved cross-entropy", &ImprovedCrossEntropy::default()),
        ("conditional moves", &Sequential::conditional()),
    ];
    for (what, method) in methods {
        for name in named(50..=100) {
            let r = repeated(method, name, 8);
            println!("{what} on {name}: {r:?}");
            assert!(r.confusion.off_converged == 0 && r.errors == 0, "{what} on {name}: {r:?}");
            assert!(r.rmse < 0.15 || r.flagged > 0.5, "{what} on {name}: {r:?}");
        }
    }
}
