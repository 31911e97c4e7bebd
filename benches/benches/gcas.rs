//! The F-16: flights of three seconds per second, and what share of the core's arithmetic that is.
//!
//! One thread throughout. `peak` runs as many independent additions and multiplications as the core
//! can take; it counts in operations per second, flights in flights per second. A flight takes
//! 1500 x 652 additions and multiplications (counted by a test of `sim-gcas`), so its share of the
//! peak is 978,000 times the one rate over the other.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pulp::{Arch, Simd, WithSimd};
use sim_core::Simulator;
use sim_gcas::{Gcas, GcasParams, Integrator, Precision, Registers};

fn flights(c: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut group = c.benchmark_group("gcas");
    group.sample_size(10);
    for (precision, p) in [(Precision::F64, "f64"), (Precision::F32, "f32")] {
        for (registers, r, n) in
            [(Registers::Scalar, "scalar", 512), (Registers::Widest, "simd", 4096)]
        {
            let params = GcasParams { precision, registers, ..GcasParams::default() };
            let gcas = Gcas::new(params).unwrap();
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(BenchmarkId::new("euler", format!("{p} {r}")), |b| {
                b.iter(|| pool.install(|| gcas.simulate(black_box(n), 0)));
            });
        }
    }
    let gcas = Gcas::new(GcasParams { integrator: Integrator::Rk4, ..GcasParams::default() });
    let (gcas, n) = (gcas.unwrap(), 1024);
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function(BenchmarkId::new("rk4", "f64 simd"), |b| {
        b.iter(|| pool.install(|| gcas.simulate(black_box(n), 0)));
    });
    group.finish();
}

/// Rounds of eight additions and eight multiplications per lane.
const ROUNDS: u64 = 1 << 20;

struct Peak;

impl WithSimd for Peak {
    type Output = u64;

    #[expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> u64 {
        let one = simd.splat_f64s(black_box(1.0));
        let zero = simd.splat_f64s(black_box(0.0));
        let (mut sums, mut products) = ([one; 8], [one; 8]);
        for _ in 0..ROUNDS {
            for (sum, product) in sums.iter_mut().zip(&mut products) {
                *sum = simd.add_f64s(*sum, zero);
                *product = simd.mul_f64s(*product, one);
            }
        }
        black_box((sums, products));
        ROUNDS * 16 * S::F64_LANES as u64
    }
}

fn peak(c: &mut Criterion) {
    let arch = Arch::new();
    let mut group = c.benchmark_group("peak");
    group.throughput(Throughput::Elements(arch.dispatch(Peak)));
    group.bench_function("add and mul/f64 simd", |b| b.iter(|| arch.dispatch(Peak)));
    group.finish();
}

criterion_group!(benches, flights, peak);
criterion_main!(benches);
