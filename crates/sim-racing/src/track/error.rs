//! Why a track is refused.

/// Why a track is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackError {
    /// There are fewer than three points.
    #[error("a track needs at least 3 points, got {0}")]
    TooFew(usize),
    /// A coordinate is infinite or NaN.
    #[error("row {row}: coordinates must be finite, got ({x}, {y})")]
    NotFinite {
        /// Row of the point.
        row: u64,
        /// Its coordinate.
        x: f64,
        /// Its coordinate.
        y: f64,
    },
    /// A point occurs twice.
    #[error(
        "row {row} repeats the point of row {first}; leave it out, the last point is joined to the first automatically"
    )]
    Repeated {
        /// Row of the second point.
        row: u64,
        /// Row of the first point.
        first: u64,
    },
    /// The half-width is not positive.
    #[error("the half-width must be finite and above 0, got {0}")]
    HalfWidth(f64),
    /// A row has another number of columns.
    #[error("row {row}: expected two columns, x and y in metres, found {found}")]
    Columns {
        /// Row in the file, counted from 1.
        row: u64,
        /// Number of columns.
        found: usize,
    },
    /// A field is not a number.
    #[error("row {row}: `{text}` is not a number")]
    Number {
        /// Row in the file, counted from 1.
        row: u64,
        /// The field.
        text: String,
    },
    /// The file cannot be read.
    #[error("the track cannot be read")]
    Read(#[from] std::io::Error),
}
