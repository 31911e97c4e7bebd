//! The track: a closed polygon of centre-line vertices and a half-width.
//!
//! The distance of a point from the centre line is defined as its distance from the infinite line through
//! the nearest vertex and the nearer of the two neighbours of this vertex. It is not the distance from the
//! nearest side of the polygon: it jumps where another line is chosen, and it can be small far outside a
//! bend.

mod csv;
pub(crate) mod error;
pub(crate) mod grid;
mod spline;

use serde::{Deserialize, Serialize};

use error::TrackError;

/// Half-width of the default track, m.
const HALF_WIDTH: f64 = 15.0;

/// A closed track; the default is that of the published experiment (48 vertices, half-width 15 m).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Track {
    vertices: Vec<[f64; 2]>,
    half_width: f64,
}

/// The position of a point relative to the track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Index of the nearest vertex, the first one on ties.
    pub nearest: usize,
    /// Index of the nearer of its two neighbours, the previous one on ties.
    pub neighbour: usize,
    /// Distance to the line through both, m.
    pub distance: f64,
    /// Whether the distance is below the half-width.
    pub inside: bool,
}

impl Default for Track {
    fn default() -> Self {
        Self { vertices: spline::vertices(), half_width: HALF_WIDTH }
    }
}

impl Track {
    /// A track through `vertices` (m); the last is joined to the first.
    ///
    /// # Errors
    /// [`TrackError`] with the row, counted from 1, of the first vertex that is not finite or repeats
    /// another, when there are fewer than three, or when the half-width is not positive.
    pub fn new(vertices: Vec<[f64; 2]>, half_width: f64) -> Result<Self, TrackError> {
        let rows: Vec<u64> = (1..=vertices.len() as u64).collect();
        Self::with_rows(vertices, &rows, half_width)
    }

    /// [`Track::new`] with the row of each vertex in its file.
    fn with_rows(
        vertices: Vec<[f64; 2]>,
        rows: &[u64],
        half_width: f64,
    ) -> Result<Self, TrackError> {
        if !(half_width.is_finite() && half_width > 0.0) {
            return Err(TrackError::HalfWidth(half_width));
        }
        for (i, vertex) in vertices.iter().enumerate() {
            let row = rows[i];
            if !vertex.iter().all(|c| c.is_finite()) {
                return Err(TrackError::NotFinite { row, x: vertex[0], y: vertex[1] });
            }
            if let Some(first) =
                vertices[..i].iter().position(|other| squared(*other, *vertex) <= 0.0)
            {
                return Err(TrackError::Repeated { row, first: rows[first] });
            }
        }
        if vertices.len() < 3 {
            return Err(TrackError::TooFew(vertices.len()));
        }
        Ok(Self { vertices, half_width })
    }

    /// The vertices of the centre line, m.
    pub fn vertices(&self) -> &[[f64; 2]] {
        &self.vertices
    }

    /// Largest distance from the centre line, m.
    pub fn half_width(&self) -> f64 {
        self.half_width
    }

    /// Returns the position of a point (m) relative to the track. A point with a NaN is outside.
    pub fn locate(&self, point: [f64; 2]) -> Place {
        let nearest = self.nearest(point, 0..self.vertices.len());
        let neighbour = self.neighbour(point, nearest);
        let (v, w) = (self.vertices[nearest], self.vertices[neighbour]);
        let (along, off) = ([w[0] - v[0], w[1] - v[1]], [point[0] - v[0], point[1] - v[1]]);
        let cross = off[0] * along[1] - off[1] * along[0];
        let distance = cross.abs() / (along[0] * along[0] + along[1] * along[1]).sqrt();
        Place { nearest, neighbour, distance, inside: distance < self.half_width }
    }

    /// Returns the nearest vertex, the first one on ties.
    fn nearest(&self, point: [f64; 2], among: impl Iterator<Item = usize>) -> usize {
        let (mut best, mut least) = (0, f64::INFINITY);
        for i in among {
            let d = squared(point, self.vertices[i]);
            if d < least {
                (best, least) = (i, d);
            }
        }
        best
    }

    fn neighbour(&self, point: [f64; 2], vertex: usize) -> usize {
        let [previous, next] = self.neighbours(vertex);
        let nearer = squared(point, self.vertices[next]) < squared(point, self.vertices[previous]);
        if nearer { next } else { previous }
    }

    fn neighbours(&self, vertex: usize) -> [usize; 2] {
        let n = self.vertices.len();
        [(vertex + n - 1) % n, (vertex + 1) % n]
    }
}

fn squared(a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    dx * dx + dy * dy
}

/// A track as it is written in a settings file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    vertices: Vec<[f64; 2]>,
    half_width: f64,
}

impl TryFrom<Wire> for Track {
    type Error = TrackError;

    fn try_from(wire: Wire) -> Result<Self, TrackError> {
        Self::new(wire.vertices, wire.half_width)
    }
}

impl From<Track> for Wire {
    fn from(track: Track) -> Self {
        Self { vertices: track.vertices, half_width: track.half_width }
    }
}
