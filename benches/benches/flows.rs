//! Flows: inference, decoding as an estimate uses it, training steps, and the peak of the matrix products.
//!
//! One thread, except for `estimate`. `peak` runs as many independent multiply-adds as the core can
//! execute, two operations each. A row takes `FlowConfig::flops` operations, so its share of the peak is
//! that number times the rows per second, divided by the operations per second of the peak.

use std::hint::black_box;

use benches::flows::{ARCHITECTURES, SHIPPED, config, flow, one_epoch, points};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use flow_core::{default_device, fit};
use pulp::{Arch, Simd, WithSimd};

fn inference(c: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut group = c.benchmark_group("flows");
    group.sample_size(10);
    for (name, d, hidden, steps) in ARCHITECTURES {
        let flow = flow(&config(d, hidden, steps), &default_device());
        let n = 10_000;
        let x = points(d, n);
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new("ln_pdf", format!("{name} {n}")), |b| {
            b.iter(|| pool.install(|| flow.ln_pdf(black_box(x.as_view()))));
        });
        group.bench_function(BenchmarkId::new("decode", format!("{name} {n}")), |b| {
            b.iter(|| pool.install(|| flow.decode(black_box(x.as_view()))));
        });
    }
    group.finish();
}

/// Decoding to standardised units, as an estimate calls it, on one and on two threads. `by the data's
/// units` decodes to the units of the data with the log-determinant and standardises again.
fn estimate(c: &mut Criterion) {
    let mut group = c.benchmark_group("estimate");
    group.sample_size(10);
    for (name, d, hidden, steps) in SHIPPED {
        let config = config(d, hidden, steps).to_builder().batch_norm(false).build().unwrap();
        let flow = flow(&config, &default_device());
        let n = 10_000;
        let u = points(d, n);
        group.throughput(Throughput::Elements(n as u64));
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let id = |way| BenchmarkId::new(way, format!("{name} {n}, {threads} threads"));
            group.bench_function(id("by the data's units"), |b| {
                let decode = || {
                    let x = flow.decode(black_box(u.as_view())).unwrap();
                    flow.standardise().apply(x.points.as_view())
                };
                b.iter(|| pool.install(decode));
            });
            group.bench_function(id("with log-determinant"), |b| {
                let decode = || flow.standardised().decode(black_box(u.as_view())).unwrap();
                b.iter(|| pool.install(decode));
            });
            group.bench_function(id("points"), |b| {
                let decode = || flow.standardised().decode_points(black_box(u.as_view())).unwrap();
                b.iter(|| pool.install(decode));
            });
        }
    }
    group.finish();
}

fn training(c: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut group = c.benchmark_group("training");
    group.sample_size(10);
    for (name, d, hidden, steps) in ARCHITECTURES {
        for batch in [128, 1024] {
            let rows = 2 * batch;
            let x = points(d, rows);
            let settings = one_epoch(batch);
            let config = config(d, hidden, steps);
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new("two steps", format!("{name} {batch}")), |b| {
                b.iter(|| {
                    pool.install(|| {
                        fit(x.as_view(), &config, &settings, &default_device(), &mut ()).unwrap()
                    })
                });
            });
        }
    }
    group.finish();
}

/// Rounds of twenty-four multiply-adds per lane.
const ROUNDS: u64 = 1 << 18;

struct Peak;

impl WithSimd for Peak {
    type Output = u64;

    #[expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> u64 {
        let factor = simd.splat_f32s(black_box(0.5));
        let mut sums = [simd.splat_f32s(1.0); 24];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, factor, factor);
            }
        }
        black_box(sums);
        2 * 24 * ROUNDS * S::F32_LANES as u64
    }
}

fn peak(c: &mut Criterion) {
    let mut group = c.benchmark_group("peak");
    let operations = Arch::new().dispatch(Peak);
    group.throughput(Throughput::Elements(operations));
    group.bench_function("multiply-add f32", |b| b.iter(|| Arch::new().dispatch(Peak)));
    group.finish();
}

criterion_group!(benches, inference, estimate, training, peak);
criterion_main!(benches);
