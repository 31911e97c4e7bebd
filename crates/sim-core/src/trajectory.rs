//! The course of one evaluation over time.

use nalgebra::DMatrix;

use crate::simulator::Feature;

/// The course of one evaluation of a [`Model`](crate::Model) over time, for pictures and tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    /// What is recorded, in order, beginning with the time; their number is `c`.
    pub columns: Vec<Feature>,
    /// The records, `[c, t]`, one time per column.
    pub values: DMatrix<f64>,
    /// Pairs of columns that show the course: what goes to the right, and what goes up.
    pub views: Vec<[usize; 2]>,
}
