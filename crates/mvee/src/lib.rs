//! Minimum-volume enclosing (Löwner–John) ellipsoids, with a certificate of how small they are.
//!
#![doc = include_str!("../docs/enclose.svg")]
//!
//! Eighty points, their smallest enclosing ellipse, and the four points that determine it: drawn by
//! `cargo run -p mvee --example enclose`.
//!
//! Of all ellipsoids that contain the points $x_1, \dots, x_n \in \mathbb R^d$,
//!
//! $$ E(c, \Sigma) = \lbrace x : (x - c)^\top \Sigma^{-1} (x - c) \le 1 \rbrace, $$
//!
//! exactly one has the smallest volume. An affine map of the points maps the ellipsoid in the same way. At
//! most $d (d + 3) / 2$ of the points determine it. It is the usual shape for a region that is known by
//! samples, for example by the failures found by a simulator.
//!
//! ```
//! use mvee::Mvee;
//! use nalgebra::DMatrix;
//!
//! let points = DMatrix::from_column_slice(2, 4, &[0., 0., 2., 0., 0., 1., 2., 1.]);
//! let solution = Mvee::default().solve(points.as_view())?;
//! assert_eq!(solution.support.len(), 4);
//! assert!(solution.gap <= 1e-7);
//! assert!((solution.ellipsoid.mahalanobis(&[2.0, 1.0]) - 1.0).abs() < 1e-6);
//! # Ok::<(), mvee::MveeError>(())
//! ```
//!
//! # What is offered
//!
//! | item | what it is |
//! | --- | --- |
//! | [`Mvee`], [`MveeBuilder`] | the solver: [`solve`](Mvee::solve), and [`solve_in_hull`](Mvee::solve_in_hull) for flat sets |
//! | [`Solution`], [`HullSolution`], [`AffineHull`], [`Termination`] | ellipsoid, certified gap, weights and support points |
//! | [`Ellipsoid`] | distances, volume, axes, uniform samples, affine images |
//! | [`Union`] | several ellipsoids with the distance from the nearest |
//! | [`MveeError`] | why points, settings or ellipsoids are refused |
//!
//! # How small is it, and does it contain the points?
//!
//! The solver works on the dual problem: weights $u \ge 0$ with sum 1 that maximise
//! $\ln\det M(u)$, $M(u) = \sum_i u_i q_i q_i^\top$, $q_i = (1, x_i)$. Any weights define an ellipsoid,
//!
//! $$ c(u) = \sum_i u_i x_i, \qquad
//!    \Sigma(u) = d \sum_i u_i (x_i - c)(x_i - c)^\top, \tag{1} $$
//!
//! whose volume is a lower bound for every ellipsoid that encloses the points. Scaled up by
//! $\rho = \max_i \lVert x_i - c \rVert_{\Sigma(u)}$ it encloses them itself, so its volume is within a factor $\rho^d$ of
//! the smallest. [`Solution::gap`] is $\varepsilon = d (\rho^2 - 1) / (d + 1)$, [`Solution::inflation`] is $\rho$, and
//! [`Solution::ln_volume_gap`] is $d \ln \rho \le (d + 1) \varepsilon / 2$. They are measured at the end, on all
//! points in their original coordinates. The returned ellipsoid has been scaled up, and measured again, until
//! [`Ellipsoid::distance`] is at most 0 for every point.
//!
//! # How it is found
//!
//! 1. Points are centred and whitened; where the covariance is near singular, by a pivoted
//!    Gram–Schmidt process on the points themselves, which also finds the rank of flat sets.
//! 2. A core set starts with the extremes of the farthest points along $d$ independent directions
//!    (Kumar–Yıldırım).
//! 3. On the core set: steps towards the farthest point and away from the nearest weighted one with
//!    rank-one updates (Khachiyan, Todd–Yıldırım, Wolfe–Atwood), then Newton steps, whose quadratic
//!    model over nonnegative weights is solved by an active-set method. These converge quadratically:
//!    a gap of 1e-10 costs one or two steps more than 1e-5.
//! 4. A pass over all points finds the farthest, which join the core set, and those that cannot touch
//!    the optimum (Harman–Pronzato), which are left out from then on. Repeat from 3.
//!
//! # Limits
//!
//! Input that is refused gives an [`MveeError`] that says what is wrong. Fewer than $d + 1$ affinely
//! independent points have no ellipsoid of positive volume: use [`Mvee::solve_in_hull`] for the ellipsoid
//! within their affine hull, or [`MveeBuilder::ridge`] for a thin one. Where the rounding of the coordinates
//! is larger than the tolerance (points of size 1 at a distance of 1e9), the tolerance is not reached; the
//! solution says so in its [`gap`](Solution::gap) and [`Termination`], and still encloses the points.
//!
//! Examples in the folder `examples/`: `enclose` (the picture above), `failure_cost` (a cost
//! function from failing samples), `degenerate` (flat sets).
//!
//! # References
//! - L. Khachiyan: Rounding of polytopes in the real number model of computation. *Mathematics of
//!   Operations Research* 21 (1996), 307–320.
//! - P. Kumar, E. A. Yıldırım: Minimum-volume enclosing ellipsoids and core sets. *Journal of
//!   Optimization Theory and Applications* 126 (2005), 1–21.
//! - M. J. Todd, E. A. Yıldırım: On Khachiyan's algorithm for the computation of minimum-volume
//!   enclosing ellipsoids. *Discrete Applied Mathematics* 155 (2007), 1731–1744.
//! - R. Harman, L. Pronzato: Improvements on removing nonoptimal support points in D-optimum design
//!   algorithms. *Statistics & Probability Letters* 77 (2007), 90–94.
//! - M. J. Todd: *Minimum-Volume Ellipsoids: Theory and Algorithms*. MOS-SIAM (2016).

#![expect(clippy::doc_markdown, reason = "the equations are LaTeX, not identifiers")]

mod ellipsoid;
mod error;
mod frame;
mod kernel;
mod linalg;
mod points;
mod sample;
mod solution;
mod solver;
mod union;

pub use ellipsoid::Ellipsoid;
pub use error::MveeError;
pub use solution::{AffineHull, HullSolution, Solution, Termination};
pub use solver::{Mvee, MveeBuilder};
pub use union::Union;
