//! Measures how long a quantile takes.

use std::{hint::black_box, time::Instant};

use inputs::{Beta, Distribution, Gamma, Normal, StudentT, TruncatedNormal, Univariate, Weibull};

/// Prints nanoseconds per value for u from -6 to 6.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let distributions: [(&str, Distribution); 7] = [
        ("normal", Normal::new(0.0, 1.0).unwrap().into()),
        ("weibull", Weibull::new(2.0, 1.0).unwrap().into()),
        ("gamma 2.5", Gamma::new(2.5, 1.0).unwrap().into()),
        ("gamma 1e4", Gamma::new(1e4, 1.0).unwrap().into()),
        ("beta 2, 5", Beta::new(2.0, 5.0, 0.0, 1.0).unwrap().into()),
        ("student_t 4", StudentT::new(0.0, 1.0, 4.0).unwrap().into()),
        ("truncated_normal", TruncatedNormal::new(0.0, 1.0, -1.0, 2.0).unwrap().into()),
    ];
    for (name, d) in &distributions {
        let (n, start) = (20_000, Instant::now());
        for i in 0..n {
            black_box(d.at_normal(black_box(f64::from(i) * 12.0 / f64::from(n) - 6.0)));
        }
        println!("{name}: {:.0} ns", start.elapsed().as_secs_f64() * 1e9 / f64::from(n));
    }
}
