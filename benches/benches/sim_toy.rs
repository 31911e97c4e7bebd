//! The robot: final poses per second, beside the plain loop over one run at a time.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use sim_core::{Simulator, rng};
use sim_toy::Robot;

/// The same runs by the shortest program: one generator, one run after the other, the standard
/// library's sine and cosine.
fn plain_loop(runs: usize) -> Vec<[f64; 3]> {
    let mut rng = rng::stream(0, 0);
    let mut normal = |sd: f64| -> f64 {
        let draw: f64 = StandardNormal.sample(&mut rng);
        sd * draw
    };
    let mut coin = rng::stream(1, 0);
    let mut run = || {
        let (mut x, mut y, mut theta, mut rate) = (0.0_f64, 0.0_f64, 0.0_f64, 0.1_f64);
        for i in 0..40 {
            if i == 16 && coin.random::<f64>() < 0.5 {
                rate = -rate;
            }
            let (sin, cos) = theta.sin_cos();
            x += 5.0 * cos + normal(0.1_f64.sqrt());
            y += 5.0 * sin + normal(0.1_f64.sqrt());
            theta += rate + normal(0.1);
        }
        [x, y, theta]
    };
    (0..runs).map(|_| run()).collect()
}

/// 2^18 runs: simulated on one thread and on all, and by the plain loop.
fn robot(c: &mut Criterion) {
    let runs = 1 << 18;
    let robot = Robot::default();
    let mut group = c.benchmark_group("sim_toy");
    group.sample_size(10).throughput(Throughput::Elements(runs as u64));
    for (threads, label) in [(1, "1 thread"), (0, "all threads")] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        group.bench_function(BenchmarkId::new("simulate", label), |b| {
            b.iter(|| pool.install(|| robot.simulate(black_box(runs), 0)));
        });
    }
    group.bench_function("plain loop", |b| b.iter(|| plain_loop(black_box(runs))));
    group.finish();
}

criterion_group!(benches, robot);
criterion_main!(benches);
