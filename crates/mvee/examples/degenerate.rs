//! Flat point sets: the error, the ellipsoid within the affine hull, and a thickness on request.
//!
//! `cargo run -p mvee --example degenerate`

use mvee::{Mvee, MveeError};
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

fn main() -> Result<(), MveeError> {
    // Points of a tilted plane in three dimensions: z = x + y / 2.
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let plane = DMatrix::from_fn(2, 60, |_, _| rng.sample::<f64, _>(StandardNormal));
    let points = DMatrix::from_fn(3, 60, |i, j| match i {
        2 => plane[(0, j)] + 0.5 * plane[(1, j)],
        _ => plane[(i, j)],
    });

    match Mvee::default().solve(points.as_view()) {
        Err(error @ MveeError::Degenerate { .. }) => println!("refused: {error}"),
        other => println!("unexpected: {other:?}"),
    }

    let flat = Mvee::default().solve_in_hull(points.as_view())?;
    let (axes, _) = flat.solution.ellipsoid.axes();
    println!("within the plane: semi-axes {:.4} and {:.4}", axes[0], axes[1]);
    let center = flat.hull.lift(flat.solution.ellipsoid.center().as_view());
    println!("its centre in space: ({:.4}, {:.4}, {:.4})", center[0], center[1], center[2]);

    let thick = Mvee::builder().ridge(1e-3).build()?.solve(points.as_view())?;
    let (axes, directions) = thick.ellipsoid.axes();
    println!("with a ridge of 1e-3: semi-axes {:.4}, {:.4}, {:.6}", axes[0], axes[1], axes[2]);
    let normal = directions.column(2);
    println!("the thin direction: ({:.4}, {:.4}, {:.4})", normal[0], normal[1], normal[2]);
    println!("farthest point: distance {:.1e}", thick.ellipsoid.distances(points.as_view()).max());
    Ok(())
}
