//! Our side of `benches/peers/mvee.py`: the same cases on the same points.

use benches::{median_seconds, normal_points, report};
use mvee::Mvee;
use nalgebra::{DMatrix, DVector};

/// Points and coordinates of the sets to enclose; the same list stands in `mvee.py`.
const SETS: [(usize, usize); 4] = [(50, 3), (200, 8), (200, 12), (1000, 12)];

fn main() -> Result<(), mvee::MveeError> {
    let mvee = Mvee::default();
    for (n, d) in SETS {
        let points = DMatrix::from_vec(d, n, normal_points(d, n, 1));
        let solution = mvee.solve(points.as_view())?;
        let outside = solution.ellipsoid.distances(points.as_view()).max();
        let seconds = median_seconds(5, || mvee.solve(points.as_view()));
        let note = format!(
            "ln volume {:.9}, farthest point at 1 {outside:+.1e}, certified gap {:.0e}",
            solution.ellipsoid.ln_volume(),
            solution.gap
        );
        for peer in ["SCS", "CLARABEL"] {
            report(&format!("solve n={n} d={d}, cvxpy+{peer}"), seconds, "s", &note);
        }
    }
    let (n, d) = (1_000_000, 12);
    let points = DMatrix::from_vec(d, n, normal_points(d, n, 1));
    let shape = DMatrix::from_fn(d, d, |i, j| if i == j { 2.0 } else { 0.1 });
    let ellipsoid = mvee::Ellipsoid::new(DVector::repeat(d, 0.5), shape)?;
    let seconds = median_seconds(5, || ellipsoid.distances(points.as_view()));
    let note = format!("sum {:.6}", ellipsoid.distances(points.as_view()).sum());
    for peer in ["scipy cdist", "numpy einsum"] {
        report(&format!("distances n={n} d={d}, {peer}"), n as f64 / seconds, "1/s", &note);
    }
    Ok(())
}
