//! Samples have the distribution they claim.
//!
//! Kolmogorov–Smirnov statistics against exact distribution functions. With $\sqrt n D > 3$ counted as
//! a failure the false-alarm rate of one comparison is $2 e^{-18} \approx 3 \cdot 10^{-8}$; a few hundred are made.

#![expect(clippy::doc_markdown, reason = "the equations are LaTeX, not identifiers")]

mod common;

use common::{normal, rng};
use mvee::Ellipsoid;
use nalgebra::{DMatrix, DVector};

const N: usize = 20_000;

/// $\sqrt n \sup |F_n - F|$ for values whose distribution function `cdf` maps them to [0, 1].
fn kolmogorov_smirnov(values: impl Iterator<Item = f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    let mut u: Vec<f64> = values.map(cdf).collect();
    u.sort_by(f64::total_cmp);
    let n = u.len() as f64;
    let steps =
        u.iter().enumerate().map(|(i, u)| (u - i as f64 / n).abs().max(u - (i + 1) as f64 / n));
    steps.fold(0.0, f64::max) * n.sqrt()
}

fn random(d: usize, seed: u64) -> Ellipsoid {
    let mut rng = rng(seed);
    let center = DVector::from_column_slice(normal(d, 1, &mut rng).as_slice());
    Ellipsoid::from_factor(center, &normal(d, d, &mut rng)).unwrap()
}

/// Inside: the Mahalanobis norm to the power d is uniform.
#[test]
fn inner_samples_fill_the_volume_evenly() {
    for d in 1..=12 {
        for seed in 0..8 {
            let e = random(d, seed);
            let x = e.sample(N, &mut rng(100 + seed));
            assert!(x.column_iter().all(|c| e.distance(c.as_slice()) < 1e-9));
            let norms = x.column_iter().map(|c| e.mahalanobis(c.as_slice()));
            let ks = kolmogorov_smirnov(norms, |r| r.powi(d as i32).min(1.0));
            assert!(ks < 3.0, "d = {d}, seed {seed}: {ks}");
        }
    }
}

/// Any coordinate of a uniform point of the 3-ball has distribution function (2 + 3 t - t³) / 4, in
/// whatever direction: checks angles as well as radii.
#[test]
fn inner_samples_prefer_no_direction() {
    for seed in 0..8 {
        let e = random(3, seed);
        let x = e.sample(N, &mut rng(200 + seed));
        let inverse = e.factor().try_inverse().unwrap();
        for direction in normal(3, 5, &mut rng(300 + seed)).column_iter() {
            let unit = direction.normalize();
            let along = x.column_iter().map(|c| unit.dot(&(&inverse * (c - e.center()))));
            let ks = kolmogorov_smirnov(along, |t| (2.0 + 3.0 * t - t.powi(3)) / 4.0);
            assert!(ks < 3.0, "seed {seed}: {ks}");
        }
    }
}

/// The area of a spheroid with semi-axes (1, 1, c) per unit of height z is
/// $2 \pi \sqrt{1 + z^2 (1 - c^2) / c^4}$.
#[test]
fn surface_samples_cover_the_area_evenly() {
    for c in [0.05, 0.3, 1.0, 3.0, 20.0] {
        let axes = DMatrix::from_diagonal(&DVector::from_vec(vec![1.0, 1.0, c]));
        let e = Ellipsoid::from_factor(DVector::repeat(3, 0.5), &axes).unwrap();
        // The area below each of many heights, by the midpoint rule.
        let steps = 200_000_usize;
        let mut below = vec![0.0];
        for k in 0..steps {
            let z = c * (2.0 * (k as f64 + 0.5) / steps as f64 - 1.0);
            let area = (1.0 + z * z * (1.0 - c * c) / c.powi(4)).max(0.0).sqrt();
            below.push(below[k] + area);
        }
        for seed in 0..8 {
            let x = e.sample_surface(N, &mut rng(400 + seed));
            assert!(x.column_iter().all(|x| e.distance(x.as_slice()).abs() < 1e-9));
            let heights = x.row(2).iter().map(|z| z - 0.5).collect::<Vec<_>>();
            let ks = kolmogorov_smirnov(heights.into_iter(), |z| {
                let at = (f64::midpoint(z / c, 1.0) * steps as f64).clamp(0.0, steps as f64);
                below[at as usize] / below[steps]
            });
            assert!(ks < 3.0, "c = {c}, seed {seed}: {ks}");
        }
    }
}
