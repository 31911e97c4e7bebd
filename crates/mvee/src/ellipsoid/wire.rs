//! The serialised form of an ellipsoid.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::{Ellipsoid, check_center, check_dim};
use crate::error::MveeError;

/// The serialised form: rows of the shape and of the factor. One of the two is enough to read an ellipsoid;
/// both together, if they agree, restore it to the last bit.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Wire {
    center: Vec<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    factor: Option<Vec<Vec<f64>>>,
}

fn rows(matrix: &DMatrix<f64>) -> Vec<Vec<f64>> {
    matrix.row_iter().map(|row| row.iter().copied().collect()).collect()
}

fn from_rows(d: usize, rows: &[Vec<f64>]) -> Result<DMatrix<f64>, MveeError> {
    check_dim(d, rows.len())?;
    rows.iter().try_for_each(|row| check_dim(d, row.len()))?;
    Ok(DMatrix::from_fn(d, d, |i, j| rows[i][j]))
}

impl From<Ellipsoid> for Wire {
    fn from(e: Ellipsoid) -> Self {
        let center = e.center().as_slice().to_vec();
        Self { center, shape: Some(rows(e.shape())), factor: Some(rows(&e.factor())) }
    }
}

impl TryFrom<Wire> for Ellipsoid {
    type Error = MveeError;

    fn try_from(wire: Wire) -> Result<Self, MveeError> {
        let d = wire.center.len();
        let center = DVector::from_vec(wire.center);
        check_center(&center)?;
        if let Some(factor) = wire.factor {
            let factor = from_rows(d, &factor)?;
            for i in 0..d {
                let good = factor[(i, i)] > 0.0 && (i + 1..d).all(|j| factor[(i, j)] == 0.0);
                if !good || factor.row(i).iter().any(|v| !v.is_finite()) {
                    return Err(MveeError::NotPositiveDefinite { row: i });
                }
            }
            let lower = factor.transpose().as_slice().to_vec();
            let ellipsoid = Ellipsoid::from_lower(center, lower);
            return match wire.shape {
                Some(shape) => ellipsoid.with_shape(from_rows(d, &shape)?),
                None => Ok(ellipsoid),
            };
        }
        match wire.shape {
            Some(shape) => Self::new(center, from_rows(d, &shape)?),
            None => Err(MveeError::Dimension { expected: d, actual: 0 }),
        }
    }
}
