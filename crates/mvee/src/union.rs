//! Several ellipsoids as one set.

use nalgebra::{DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::ellipsoid::{Ellipsoid, check_dim};
use crate::error::MveeError;

/// The union of ellipsoids of one dimension, with the distance
///
/// $$ g(x) = \min_k \lVert L_k^{-1} (x - c_k) \rVert - 1, $$
///
/// negative inside any of them: a limit-state function for regions that are known by failing samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Ellipsoid>", into = "Vec<Ellipsoid>")]
pub struct Union {
    members: Vec<Ellipsoid>,
}

impl Union {
    /// The union of `members`.
    ///
    /// # Errors
    /// [`MveeError::Empty`] without a member, [`MveeError::Dimension`] when dimensions differ.
    pub fn new(members: Vec<Ellipsoid>) -> Result<Self, MveeError> {
        let first = members.first().ok_or(MveeError::Empty { dim: 0, n: 0 })?.dim();
        members.iter().try_for_each(|e| check_dim(first, e.dim()))?;
        Ok(Self { members })
    }

    /// The ellipsoids, in the order of [`new`](Self::new).
    pub fn members(&self) -> &[Ellipsoid] {
        &self.members
    }

    /// Number of coordinates `d`.
    pub fn dim(&self) -> usize {
        self.members[0].dim()
    }

    /// Returns the smallest distance of `x: [d]` from a member.
    ///
    /// # Panics
    /// When `x` does not have `d` coordinates.
    pub fn distance(&self, x: &[f64]) -> f64 {
        self.members.iter().map(|e| e.distance(x)).reduce(least).unwrap_or(f64::NAN)
    }

    /// [`distance`](Self::distance) of every column of `x: [d, n]`, `[n]`, in parallel.
    ///
    /// # Panics
    /// When `x` does not have `d` rows.
    pub fn distances(&self, x: DMatrixView<'_, f64>) -> DVector<f64> {
        let mut smallest = self.members[0].distances(x);
        for member in &self.members[1..] {
            smallest.zip_apply(&member.distances(x), |s, v| *s = least(*s, v));
        }
        smallest
    }

    /// Whether a member contains `x: [d]`.
    ///
    /// # Panics
    /// When `x` does not have `d` coordinates.
    pub fn contains(&self, x: &[f64]) -> bool {
        self.members.iter().any(|e| e.contains(x))
    }
}

/// Returns the smaller of two numbers, or NaN when the second is NaN, where `f64::min` returns the first.
fn least(a: f64, b: f64) -> f64 {
    if a <= b { a } else { b }
}

impl TryFrom<Vec<Ellipsoid>> for Union {
    type Error = MveeError;

    fn try_from(members: Vec<Ellipsoid>) -> Result<Self, MveeError> {
        Self::new(members)
    }
}

impl From<Union> for Vec<Ellipsoid> {
    fn from(union: Union) -> Self {
        union.members
    }
}
