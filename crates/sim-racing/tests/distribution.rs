//! Distribution of 5,000 final states against 25,000 of an independent implementation.
//!
//! Too long for every run (about two minutes on two cores); it takes
//! `cargo test --release -p sim-racing --test distribution -- --ignored`.
//!
//! Per arithmetic: a two-sample Kolmogorov-Smirnov test of each output at the 1 % level over 8 outputs
//! (atoms make it conservative), the shares of the two failure regions within 3 standard errors, and the
//! shares of the point masses within 4.

mod common;

use common::load;
use sim_core::Simulator;
use sim_racing::{Arithmetic, Racing, RacingParams};

const RUNS: usize = 5000;
const REFERENCE: usize = 25_000;
/// 1 % critical value of the Kolmogorov-Smirnov distance of 5,000 and 25,000 numbers.
const CRITICAL: f64 = 0.0253;

/// Largest distance of two empirical distribution functions.
fn distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let at = a[i].min(b[j]);
        i += a[i..].iter().take_while(|v| **v <= at).count();
        j += b[j..].iter().take_while(|v| **v <= at).count();
        largest = largest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    largest
}

type Event = (&'static str, fn(&[f64]) -> bool, f64);

/// Events of the specification: failure regions in raw units, and point masses.
const EVENTS: [Event; 7] = [
    ("region 1", |x| x[0] > 132.26906308166508 && x[2] > 0.6227120205252937, 3.0),
    ("region 2", |x| x[6] < -0.2555522865639046 && x[0] > 145.205740633678, 3.0),
    ("full throttle", |x| x[7] >= 1.0, 4.0),
    ("full brake", |x| x[7] <= -1.0, 4.0),
    ("steering full left", |x| (x[6] - 0.1 * std::f64::consts::PI).abs() < 1e-6, 4.0),
    ("steering half left", |x| (x[6] - 0.05 * std::f64::consts::PI).abs() < 1e-6, 4.0),
    ("steering straight", |x| x[6].abs() < 1e-6, 4.0),
];

fn check(arithmetic: Arithmetic, seed: u64) {
    let golden = load("final_states").remove("final_states").unwrap();
    assert_eq!(golden.len(), 8 * REFERENCE);
    let racing = Racing::new(RacingParams { arithmetic, ..RacingParams::default() }).unwrap();
    let outcomes = racing.simulate(RUNS, seed);
    assert!(outcomes.iter().all(|v| v.is_finite()));
    let mut failures = Vec::new();
    for i in 0..8 {
        // In single precision like the recording, so that the point masses coincide.
        let ours = outcomes.row(i).iter().map(|v| f64::from(*v as f32)).collect();
        let d = distance(ours, golden.iter().skip(i).step_by(8).copied().collect());
        println!("{arithmetic:?} output {i}: distance {d:.4}");
        if d > CRITICAL {
            failures.push(format!("output {i}: {d}"));
        }
    }
    for (name, holds, bound) in EVENTS {
        let ours = outcomes.column_iter().filter(|x| holds(x.as_slice())).count() as f64;
        let theirs = golden.chunks_exact(8).filter(|x| holds(x)).count() as f64;
        let (n, m) = (RUNS as f64, REFERENCE as f64);
        let p = (ours + theirs) / (n + m);
        let score = (ours / n - theirs / m) / (p * (1.0 - p) * (1.0 / n + 1.0 / m)).sqrt();
        println!("{name}: {:.5} against {:.5}, {score:.2} standard errors", ours / n, theirs / m);
        if score.abs() > bound {
            failures.push(format!("{name}: {score:.2} standard errors"));
        }
    }
    assert!(failures.is_empty(), "{arithmetic:?}: {failures:?}");
}

#[test]
#[ignore = "a minute or more on two cores"]
fn double_precision() {
    check(Arithmetic::F64, 1);
}

#[test]
#[ignore = "a minute or more on two cores"]
fn single_precision() {
    check(Arithmetic::F32, 2);
}
