//! Moments and region probabilities against the reference of 2e7 + 2e7 independent runs of a
//! separate program.
//!
//! 16 seeds of 250,000 runs. Each of the 12 pooled numbers must lie within four standard errors of
//! its reference (false alarm: 12 x 6.3e-5 = 8e-4); the scatter over seeds of four of them must be
//! what their standard errors say (chi-square, false alarm 4 x 5e-4).

use nalgebra::DMatrix;
use sim_core::Simulator;
use sim_toy::{REFERENCE_MEAN, REFERENCE_SD, Robot};

const SEEDS: u64 = 16;
const RUNS: usize = 250_000;
/// Runs behind the reference moments, and again behind the probabilities.
const REFERENCE_RUNS: f64 = 2e7;

/// A number computed as a mean over runs.
#[derive(Clone, Copy, Default)]
struct Mean {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Mean {
    fn push(&mut self, v: f64) {
        self.n += 1.0;
        self.sum += v;
        self.squares += v * v;
    }
    fn value(&self) -> f64 {
        self.sum / self.n
    }
    /// Variance of one run's contribution.
    fn variance(&self) -> f64 {
        self.squares / self.n - self.value().powi(2)
    }
    /// Deviation from `reference` in standard errors, those of the reference included.
    fn z(&self, reference: f64) -> f64 {
        (self.value() - reference)
            / (self.variance() * (1.0 / self.n + 1.0 / REFERENCE_RUNS)).sqrt()
    }
    fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }
}

/// The twelve numbers, their references, and whether their scatter over seeds is checked.
const NAMES: [(&str, f64, bool); 12] = [
    ("mean x", 0.0, true),
    ("mean y", 0.0, false),
    ("mean theta", 0.0, true),
    ("sd x", 0.0, false),
    ("sd y", 0.0, false),
    ("sd theta", 0.0, false),
    ("correlation xy", -0.0221, false),
    ("correlation x theta", -0.9446, false),
    ("correlation y theta", -0.0256, false),
    ("P(region 1)", 4.392e-3, true),
    ("P(region 2)", 2.821e-3, true),
    ("P_f", 7.212e-3, false),
];

/// Each number as a mean over runs, to first order about the reference moments: for standardised
/// `a` and `b`, the deviation of a mean is `a`, that of an sd `(a^2 - 1)/2`, and the correlation
/// `rho` is estimated by `a b - rho (a^2 + b^2 - 2)/2`.
fn numbers(outcomes: &DMatrix<f64>) -> [Mean; 12] {
    let inside = |z: [f64; 3], c: [f64; 3]| {
        z.iter().zip(c).map(|(z, c)| (z - c).powi(2)).sum::<f64>() <= 0.75
    };
    let mut means = [Mean::default(); 12];
    for x in outcomes.column_iter() {
        let z: [f64; 3] = std::array::from_fn(|i| (x[i] - REFERENCE_MEAN[i]) / REFERENCE_SD[i]);
        for i in 0..3 {
            means[i].push(z[i]);
            means[3 + i].push(0.5 * (z[i] * z[i] - 1.0));
        }
        for (k, (i, j)) in [(0, 1), (0, 2), (1, 2)].into_iter().enumerate() {
            let rho = NAMES[6 + k].1;
            means[6 + k].push(z[i] * z[j] - 0.5 * rho * (z[i] * z[i] + z[j] * z[j] - 2.0));
        }
        let one = inside(z, [-1.5, -2.75, 1.75]);
        let two = inside(z, [1.25, -3.75, -1.5]);
        means[9].push(f64::from(u8::from(one)));
        means[10].push(f64::from(u8::from(two)));
        means[11].push(f64::from(u8::from(one || two)));
    }
    means
}

#[test]
fn outcomes_follow_the_reference_distribution() {
    let robot = Robot::default();
    let mut pooled = [Mean::default(); 12];
    let mut scatter = [0.0; 12];
    for seed in 0..SEEDS {
        let outcomes = robot.simulate(RUNS, seed);
        assert!(outcomes.iter().all(|v| v.is_finite()));
        for (k, number) in numbers(&outcomes).iter().enumerate() {
            pooled[k].merge(number);
            scatter[k] += number.z(NAMES[k].1).powi(2);
        }
    }
    for (k, (name, reference, check_scatter)) in NAMES.into_iter().enumerate() {
        let z = pooled[k].z(reference);
        assert!(z.abs() < 4.0, "{name}: {} is {z:.2} standard errors off", pooled[k].value());
        // The squares of 16 standard normal numbers sum to 3.2 .. 43 but for 2.6e-4 + 2.8e-4.
        let chi = scatter[k];
        assert!(!check_scatter || (3.2..43.0).contains(&chi), "{name}: chi-square {chi:.1} of 16");
    }
}
