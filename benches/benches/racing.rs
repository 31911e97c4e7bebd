//! The race: runs of 201 control steps per second, literal and in lanes, on one thread and on two.
//!
//! A run takes 2,512,500 integration steps of the car in the controller's rollouts, so the rate times
//! that number is the rate of integration steps.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sim_core::Simulator;
use sim_racing::{Arithmetic, Racing, RacingParams, Registers};

fn races(c: &mut Criterion) {
    let mut group = c.benchmark_group("racing");
    group.sample_size(10);
    let cases = [
        ("f64 simd", Arithmetic::F64, Registers::Widest, 64),
        ("f32 simd", Arithmetic::F32, Registers::Widest, 64),
        ("f64 scalar", Arithmetic::F64, Registers::Scalar, 16),
        ("literal", Arithmetic::Literal, Registers::Scalar, 2),
    ];
    for (name, arithmetic, registers, runs) in cases {
        let params = RacingParams { arithmetic, registers, ..RacingParams::default() };
        let racing = Racing::new(params).unwrap();
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            // Two threads need two blocks each; the slow cases have one.
            if threads > 1 && runs < 64 {
                continue;
            }
            group.throughput(Throughput::Elements(runs));
            group.bench_function(BenchmarkId::new(name, format!("threads {threads}")), |b| {
                b.iter(|| pool.install(|| racing.simulate(black_box(runs as usize), 0)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, races);
criterion_main!(benches);
