//! A failure cost from failing samples: each failure region becomes the ellipsoid of the failures
//! seen in it, and the cost of a new sample is its distance to the nearest one.
//!
//! `cargo run --release -p mvee --example failure_cost`

use mvee::{Mvee, MveeError, Union};
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// A system that fails near two states, in regions that are compact but no ellipsoids.
fn fails(x: &[f64]) -> Option<usize> {
    let first = (x[0] - 1.6).powi(4) + (x[1] - 0.5).powi(2) + (x[2] + x[3]).powi(2) + x[3].powi(4);
    let second = (x[0] + 1.5).powi(2) + (x[1] * x[2]).abs() + x[2].powi(2) + (x[3] - 1.0).powi(2);
    if first < 0.5 {
        Some(0)
    } else if second < 0.5 && x[1].abs() < 1.0 {
        Some(1)
    } else {
        None
    }
}

fn normal(n: usize, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    DMatrix::from_fn(4, n, |_, _| rng.sample(StandardNormal))
}

fn main() -> Result<(), MveeError> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let seen = normal(50_000, &mut rng);
    let mut regions = Vec::new();
    for region in 0..2 {
        let failing: Vec<usize> = (0..seen.ncols())
            .filter(|&i| fails(seen.column(i).as_slice()) == Some(region))
            .collect();
        let solution = Mvee::default().solve(seen.select_columns(&failing).as_view())?;
        println!(
            "region {region}: {} failing samples, {} on the surface, ln volume {:.3} within {:.1e}",
            failing.len(),
            solution.support.len(),
            solution.ellipsoid.ln_volume(),
            solution.ln_volume_gap(),
        );
        regions.push(solution.ellipsoid);
    }

    // g(x) <= 0 inside either ellipsoid: a cost that points to the failures, for any estimator.
    let cost = Union::new(regions)?;
    let fresh = normal(1_000_000, &mut rng);
    let g = cost.distances(fresh.as_view());
    let share = |count: usize| count as f64 / fresh.ncols() as f64;
    let inside = g.iter().filter(|g| **g <= 0.0).count();
    let failed = fresh.column_iter().filter(|x| fails(x.as_slice()).is_some()).count();
    println!("probability of g <= 0: {:.3e}; of a failure: {:.3e}", share(inside), share(failed));
    println!("cost at the origin: {:.3}", cost.distance(&[0.0; 4]));
    Ok(())
}
