//! Mixture fits, mixture densities, nearest-neighbour metrics and whole runs of the estimators.

use criterion::{Criterion, criterion_group, criterion_main};
use latent_is::metrics::KnnReference;
use latent_is::mixture::{EmSettings, expectation_maximization};
use latent_is::{
    CrossEntropy, Density, Estimator, GaussianMixture, Sequential, StandardNormal, problems, rng,
};
use nalgebra::DMatrix;

const DIM: usize = 12;

fn mixture() -> GaussianMixture {
    let means = DMatrix::from_fn(DIM, 2, |i, k| 0.1 * i as f64 + 2.0 * k as f64);
    let covariance = DMatrix::from_fn(DIM, DIM, |i, j| if i == j { 1.0 } else { 0.2 });
    GaussianMixture::new(vec![0.6, 0.4], means, vec![covariance; 2])
        .expect("it is positive definite")
}

/// A run of eleven iterations and one of one: the difference over ten is an iteration.
fn em(c: &mut Criterion) {
    let q = mixture();
    let x = q.sample(100_000, 1).expect("a mixture can be drawn from");
    let resp = q.responsibilities(x.as_view()).expect("the dimensions agree");
    let w = vec![1.0; x.ncols()];
    for iterations in [1, 11] {
        let settings =
            EmSettings { ridge: 1e-6, tolerance: 0.0, max_iterations: iterations, guarded: true };
        c.bench_function(&format!("EM n=100000 d=12 K=2, {iterations} iterations"), |b| {
            b.iter(|| expectation_maximization(x.as_view(), &w, &resp, &settings).unwrap());
        });
    }
    c.bench_function("mixture log-density n=100000 d=12 K=2", |b| {
        b.iter(|| q.ln_pdf(x.as_view()).unwrap());
    });
}

fn knn(c: &mut Criterion) {
    let real = rng::standard_normal(DIM, 10_000, 1);
    let fake = rng::standard_normal(DIM, 10_000, 2);
    c.bench_function("density and coverage 10000 x 10000 d=12 k=5", |b| {
        b.iter(|| {
            let reference = KnnReference::new(real.as_view(), 5).unwrap();
            reference.density_coverage(fake.as_view()).unwrap()
        });
    });
}

fn runs(c: &mut Criterion) {
    for name in ["four-branch-2", "oscillator-6", "linear-10"] {
        let problem = problems::by_name(name).expect("it is one of the problems");
        let nominal = StandardNormal::new(latent_is::LimitState::dim(problem));
        let ce = CrossEntropy::default();
        c.bench_function(&format!("cross-entropy, {name}"), |b| {
            b.iter(|| ce.estimate(&nominal, problem, 1).unwrap());
        });
        let sis = Sequential::default();
        c.bench_function(&format!("sequential, {name}"), |b| {
            b.iter(|| sis.estimate(&nominal, problem, 1).unwrap());
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = em, knn, runs
}
criterion_main!(benches);
