//! Cross-check with Clarabel, an interior-point solver that shares nothing with ours.
//!
//! With $\Sigma^{-1} = A^\top A$ and $A$ lower-triangular the smallest ellipsoid is the convex problem
//!
//! $$ \max_{A, b} \sum_i t_i \quad \text{with} \quad t_i \le \ln A_{ii}, \quad \lVert A x_k + b \rVert \le 1 \ \text{for every } k, $$
//!
//! an exponential cone a coordinate and a second-order cone a point; $c = -A^{-1} b$.

#![expect(clippy::doc_markdown, reason = "the equations are LaTeX, not identifiers")]

mod common;

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, SolverStatus, SupportedConeT,
};
use common::{difference, normal, rng, solve};
use mvee::Ellipsoid;
use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use rand_distr::StandardNormal;

/// The smallest ellipsoid by Clarabel.
fn by_clarabel(points: &DMatrix<f64>) -> Ellipsoid {
    let (d, n) = points.shape();
    let entry = |i: usize, j: usize| i * (i + 1) / 2 + j;
    let (offset, height) = (d * (d + 1) / 2, d * (d + 1) / 2 + d);
    let (mut rows, mut cols, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (mut right, mut cones) = (Vec::new(), Vec::new());
    // Slack s = right - (matrix) v lies in the cones, so the matrix holds minus the coefficients.
    let mut put = |row, col, value: f64| {
        rows.push(row);
        cols.push(col);
        values.push(-value);
    };
    for i in 0..d {
        put(right.len(), height + i, 1.0);
        put(right.len() + 2, entry(i, i), 1.0);
        right.extend([0.0, 1.0, 0.0]);
        cones.push(SupportedConeT::ExponentialConeT());
    }
    for x in points.column_iter() {
        right.push(1.0);
        for i in 0..d {
            (0..=i).for_each(|j| put(right.len(), entry(i, j), x[j]));
            put(right.len(), offset + i, 1.0);
            right.push(0.0);
        }
        cones.push(SupportedConeT::SecondOrderConeT(d + 1));
    }
    let size = height + d;
    assert_eq!(right.len(), 3 * d + n * (d + 1));
    let matrix = CscMatrix::new_from_triplets(right.len(), size, rows, cols, values);
    let cost: Vec<f64> = (0..size).map(|k| if k >= height { -1.0 } else { 0.0 }).collect();
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .tol_gap_abs(1e-10)
        .tol_gap_rel(1e-10)
        .tol_feas(1e-10)
        .build()
        .unwrap();
    let zero = CscMatrix::zeros((size, size));
    let mut solver = DefaultSolver::new(&zero, &cost, &matrix, &right, &cones, settings).unwrap();
    solver.solve();
    assert!(
        matches!(solver.solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved),
        "{:?}",
        solver.solution.status
    );
    let v = &solver.solution.x;
    let a = DMatrix::from_fn(d, d, |i, j| if j <= i { v[entry(i, j)] } else { 0.0 });
    let b = DVector::from_column_slice(&v[offset..offset + d]);
    let inverse = a.try_inverse().unwrap();
    Ellipsoid::from_factor(-(&inverse * b), &inverse).unwrap()
}

#[test]
fn an_interior_point_solver_finds_the_same_ellipsoid() {
    for seed in 0..12 {
        let mut rng = rng(seed);
        let d = 2 + seed as usize % 5;
        let n = d + 1 + rng.random_range(0..60_usize);
        let mut points = normal(d, n, &mut rng);
        if seed % 3 == 0 {
            // Heavy tails: Student's t with 2 degrees of freedom, a row of normals over its length.
            points.column_iter_mut().for_each(|mut c| {
                let (a, b): (f64, f64) = (rng.sample(StandardNormal), rng.sample(StandardNormal));
                c /= f64::midpoint(a * a, b * b).sqrt();
            });
        }
        let ours = solve(&points, 1e-10);
        let theirs = by_clarabel(&points);
        let volume = (ours.ellipsoid.ln_volume() - theirs.ln_volume()).abs();
        let apart = difference(&ours.ellipsoid, &theirs);
        println!("seed {seed}, [{d}, {n}]: ln volume {volume:.1e}, apart {apart:.1e}");
        // Clarabel stops at 1e-10 in the objective, whose square root bounds the distance.
        assert!(volume < 1e-7, "seed {seed}, [{d}, {n}]: ln volume {volume:e}");
        assert!(apart < 1e-4, "seed {seed}, [{d}, {n}]: apart {apart:e}");
    }
}
