//! Two searches of different kinds on the same limit state: they should agree.

use latent_is::{Error, Estimator, FnLimitState, ImprovedCrossEntropy, Sequential, StandardNormal};

fn main() -> Result<(), Error> {
    // Fails to either side: P = 2 Phi(-3.5) = 4.653e-4.
    let g = FnLimitState::new(10, |u: &[f64]| 3.5 - u.iter().sum::<f64>().abs() / 10_f64.sqrt());
    let nominal = StandardNormal::new(10);
    let methods: [(&str, &dyn Estimator); 2] = [
        ("improved cross-entropy", &ImprovedCrossEntropy::default()),
        ("conditional moves", &Sequential::conditional()),
    ];
    for (name, method) in methods {
        let estimate = method.estimate(&nominal, &g, 7)?;
        let interval = estimate.interval(0.95);
        println!(
            "{name}: P = {:.3e}, 95 % in [{:.3e}, {:.3e}], {} evaluations. {}",
            estimate.pf(),
            interval.lower(),
            interval.upper(),
            estimate.counts.evaluations,
            estimate.verdict()
        );
    }
    Ok(())
}
