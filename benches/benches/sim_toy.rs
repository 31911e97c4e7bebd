//! The robot: final poses per second, and the random numbers under them as the rival to beat.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use latent_is::{Simulator, rng};
use sim_toy::Robot;

/// Simulating 2^18 runs on one thread and on all; drawing the 120 normal numbers of each run alone.
fn robot(c: &mut Criterion) {
    let runs = 1 << 18;
    let robot = Robot::default();
    let mut group = c.benchmark_group("sim_toy");
    group.sample_size(10).throughput(Throughput::Elements(runs as u64));
    for threads in [1, 0] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let label = if threads == 0 { "all threads" } else { "1 thread" };
        group.bench_function(BenchmarkId::new("simulate", label), |b| {
            b.iter(|| pool.install(|| robot.simulate(black_box(runs), 0)));
        });
        group.bench_function(BenchmarkId::new("normal numbers alone", label), |b| {
            b.iter(|| pool.install(|| rng::standard_normal(120, black_box(runs), 0)));
        });
    }
    group.finish();
}

criterion_group!(benches, robot);
criterion_main!(benches);
