//! Our side of `cargo xtask peers --only gcas`: flights per second on one core, 10,000 flights of
//! 1500 Euler steps, one JSON line a case.

use std::time::Instant;

use sim_core::Simulator;
use sim_gcas::{Gcas, GcasParams, Precision};

const FLIGHTS: usize = 10_000;

fn main() {
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    for (precision, name) in [(Precision::F64, "f64"), (Precision::F32, "f32")] {
        let params = GcasParams { precision, ..GcasParams::default() };
        let gcas = Gcas::new(params).expect("default settings are valid");
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let start = Instant::now();
            let outcomes = pool.install(|| gcas.simulate(FLIGHTS, 0));
            best = best.min(start.elapsed().as_secs_f64());
            assert!(outcomes.iter().all(|v| v.is_finite()), "every flight ends");
        }
        let value = FLIGHTS as f64 / best;
        println!(r#"{{"case": "{name} flights, one core", "value": {value:.1}, "unit": "1/s"}}"#);
    }
}
