//! Enclosing points, and the distance of many points to an ellipsoid.

use std::hint::black_box;
use std::time::Duration;

use benches::normal_points;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mvee::{Ellipsoid, Mvee};
use nalgebra::{DMatrix, DVector};

/// Standard normal points, default tolerance (gap 1e-7).
fn solve(c: &mut Criterion) {
    let mut group = c.benchmark_group("mvee_solve");
    group.sample_size(10).warm_up_time(Duration::from_millis(300));
    for d in [3, 8, 12, 50] {
        for n in [50, 200, 1000, 100_000, 1_000_000] {
            if n <= d {
                continue;
            }
            let points = DMatrix::from_vec(d, n, normal_points(d, n, 1));
            let mvee = Mvee::default();
            group.measurement_time(Duration::from_secs(if n > 1000 { 3 } else { 1 }));
            group.throughput(Throughput::Elements(n as u64));
            group.bench_with_input(BenchmarkId::new(format!("d{d}"), n), &points, |b, points| {
                b.iter(|| mvee.solve(black_box(points).as_view()).unwrap());
            });
        }
    }
    group.finish();
}

/// The hard case: so many points near the surface that hundreds compete for it.
fn solve_ball(c: &mut Criterion) {
    let mut group = c.benchmark_group("mvee_solve_ball");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    let (d, n) = (12, 100_000);
    // Uniform in the unit ball: a normal direction, and a radius with density d r^(d - 1).
    let mut points = DMatrix::from_vec(d, n, normal_points(d, n, 1));
    for (k, mut column) in points.column_iter_mut().enumerate() {
        column *= ((k as f64 + 0.5) / n as f64).powf(1.0 / d as f64) / column.norm();
    }
    group.throughput(Throughput::Elements(n as u64));
    group.bench_with_input(BenchmarkId::new(format!("d{d}"), n), &points, |b, points| {
        b.iter(|| Mvee::default().solve(black_box(points).as_view()).unwrap());
    });
    group.finish();
}

/// Bytes are those of the points, read once.
fn distances(c: &mut Criterion) {
    let mut group = c.benchmark_group("mvee_distances");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    for (d, n) in [(3, 1_000_000), (12, 1000), (12, 1_000_000), (50, 100_000)] {
        let points = DMatrix::from_vec(d, n, normal_points(d, n, 1));
        let shape = DMatrix::from_fn(d, d, |i, j| if i == j { 2.0 } else { 0.1 });
        let ellipsoid = Ellipsoid::new(DVector::repeat(d, 0.5), shape).unwrap();
        group.throughput(Throughput::Bytes((8 * n * d) as u64));
        group.bench_with_input(BenchmarkId::new(format!("d{d}"), n), &points, |b, points| {
            b.iter(|| ellipsoid.distances(black_box(points).as_view()));
        });
    }
    group.finish();
}

criterion_group!(benches, solve, solve_ball, distances);
criterion_main!(benches);
