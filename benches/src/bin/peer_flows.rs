//! Our side of `cargo xtask peers --only flows`: rows per second in inference and training, one JSON
//! line a case.

use std::{hint::black_box, time::Instant};

use benches::flows::{ARCHITECTURES, config, flow, points};
use flow_core::{TrainSettings, default_device, fit};

/// The better of two runs after a warm-up, in rows per second.
fn rate(rows: usize, mut run: impl FnMut()) -> f64 {
    run();
    let best = (0..2)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    rows as f64 / best
}

fn report(case: &str, value: f64) {
    println!(r#"{{"case": "{case}", "value": {value:.0}, "unit": "rows/s"}}"#);
}

fn main() {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("a pool of threads");
        pool.install(|| {
            for (name, d, hidden, steps) in ARCHITECTURES {
                let config = config(d, hidden, steps);
                let flow = flow(&config);
                for n in [10_000, 100_000] {
                    let x = points(d, n);
                    let value = rate(n, || {
                        black_box(flow.log_prob(x.as_view()).expect("a density"));
                    });
                    report(&format!("{name} log_prob, {n} rows, {threads} threads"), value);
                    let value = rate(n, || {
                        black_box(flow.decode(x.as_view()).expect("images"));
                    });
                    report(&format!("{name} decode, {n} rows, {threads} threads"), value);
                }
                for batch in [128, 1024] {
                    let rows = 4 * batch;
                    let x = points(d, rows);
                    let settings = TrainSettings {
                        epochs: 1,
                        batch_size: batch,
                        validation_share: 0.0,
                        ..TrainSettings::default()
                    };
                    let value = rate(rows, || {
                        let trained =
                            fit(x.as_view(), &config, &settings, &default_device(), &mut ());
                        black_box(trained.expect("a trained flow"));
                    });
                    report(&format!("{name} training, batch {batch}, {threads} threads"), value);
                }
            }
        });
    }
}
