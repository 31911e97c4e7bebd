//! Minimum-volume enclosing (Löwner–John) ellipsoids.

#![expect(clippy::doc_markdown, reason = "the equations are LaTeX, not identifiers")]

mod ellipsoid;
mod error;
mod frame;
mod linalg;
mod points;
mod sample;
mod solution;
mod solver;
mod union;
mod wire;

pub use ellipsoid::Ellipsoid;
pub use error::MveeError;
pub use solution::{AffineHull, HullSolution, Solution, StopReason};
pub use solver::{Mvee, MveeBuilder};
pub use union::Union;
