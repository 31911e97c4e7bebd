//! Why points, settings and ellipsoids are refused.

/// Why points, settings or an ellipsoid are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MveeError {
    /// No point, or points without coordinates.
    #[error("points are [{dim}, {n}]: at least one point with at least one coordinate is needed")]
    Empty {
        /// Coordinates per point.
        dim: usize,
        /// Number of points.
        n: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error(
        "coordinate {coordinate} of point {point} is {value}: remove or repair the point first"
    )]
    NotFinite {
        /// Column of the point.
        point: usize,
        /// Row of the coordinate.
        coordinate: usize,
        /// Its value.
        value: f64,
    },
    /// The points do not span the space: their minimum-volume ellipsoid has volume zero.
    #[error(
        "the points span {rank} of {dim} dimensions (to rounding): add points, set `ridge`, or \
         take `solve_in_hull` for the ellipsoid within their affine hull"
    )]
    Degenerate {
        /// Dimension of the affine hull, numerically.
        rank: usize,
        /// Coordinates per point.
        dim: usize,
    },
    /// The square of the extent of a coordinate is outside the range of `f64`.
    #[error(
        "coordinate {coordinate} extends over {range:e}, whose square leaves the range of f64: \
         choose another unit for it"
    )]
    Scale {
        /// Row of the coordinate.
        coordinate: usize,
        /// Largest less smallest value.
        range: f64,
    },
    /// A setting lies outside its range.
    #[error("{setting} must be {expected}, got {value}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// The values that are accepted.
        expected: &'static str,
        /// Its value.
        value: f64,
    },
    /// Two objects of one calculation differ in dimension.
    #[error("expected dimension {expected}, got {actual}")]
    Dimension {
        /// The dimension of the first.
        expected: usize,
        /// The dimension of the second.
        actual: usize,
    },
    /// The shape matrix of an ellipsoid is not symmetric and positive definite.
    #[error(
        "shape matrix is not symmetric positive definite (row {row}): it must equal A Aᵀ for an \
         invertible A"
    )]
    NotPositiveDefinite {
        /// First row at which the factorisation fails.
        row: usize,
    },
}
