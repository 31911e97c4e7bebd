//! Coordinates in which the points are centred and have unit covariance, or the result that the points are
//! flat.
//!
//! Every coordinate is scaled by its extent, and the covariance is factorised. A small pivot would be
//! determined by rounding errors; then a pivoted Gram–Schmidt process on the points is used instead. It
//! picks $d + 1$ affinely independent points, each the farthest from the affine hull of those before. The set
//! is flat when this distance is at most the rounding of the coordinates.

use nalgebra::{DMatrix, DVector};

use crate::error::MveeError;
use crate::linalg::{axpy, cholesky, dot, invert_lower, lower_of_factor, multiply_lower};
use crate::points::{Bounds, Points};

/// Pivot of the correlation matrix below which the covariance is not used.
const SAFE_PIVOT: f64 = 1e-7;

/// The map $y = T (x - c)$ with $T = L^{-1}$, both row-major and lower-triangular.
pub(crate) struct Frame {
    pub(crate) center: Vec<f64>,
    pub(crate) lower: Vec<f64>,
    pub(crate) inverse: Vec<f64>,
}

/// Affinely independent points whose affine hull contains all others up to rounding.
pub(crate) struct Span {
    /// The first point.
    pub(crate) origin: usize,
    /// The others, by decreasing distance from the hull of those before.
    pub(crate) picked: Vec<usize>,
}

/// Refuses extents whose squares leave the range of `f64`.
pub(crate) fn check_scale(bounds: &Bounds) -> Result<(), MveeError> {
    for (coordinate, (low, high)) in bounds.low.iter().zip(&bounds.high).enumerate() {
        let range = high - low;
        let size = low.abs().max(high.abs());
        if !(range == 0.0 || range > 1e-140) || size > 1e140 {
            return Err(MveeError::Scale { coordinate, range });
        }
    }
    Ok(())
}

impl Frame {
    fn new(center: Vec<f64>, lower: Vec<f64>) -> Self {
        let inverse = invert_lower(&lower, center.len());
        Self { center, lower, inverse }
    }

    /// The frame of the points, or [`MveeError::Degenerate`].
    pub(crate) fn fit(points: &Points<'_>, bounds: &Bounds) -> Result<Self, MveeError> {
        let d = points.d;
        if let Some(frame) = Self::of_covariance(points, bounds) {
            return Ok(frame);
        }
        let span = Span::of(points, bounds);
        if span.picked.len() < d {
            return Err(MveeError::Degenerate { rank: span.picked.len(), dim: d });
        }
        let origin = points.column(span.origin);
        let edges = DMatrix::from_fn(d, d, |i, k| points.column(span.picked[k])[i] - origin[i]);
        let lower =
            lower_of_factor(&edges).map_err(|rank| MveeError::Degenerate { rank, dim: d })?;
        let first = Self::new(origin.to_vec(), lower);
        // In these coordinates the picked points form a simplex of unit edges: whiten once more.
        let ids: Vec<usize> = (0..points.n).collect();
        let y = points.transformed(&ids, &first.center, &first.inverse);
        let (zero, one) = (vec![0.0; d], vec![1.0; d]);
        let moments = y.moments(&zero, &one);
        let mut second = moments.covariance;
        if cholesky(&mut second, d, 0.0).is_err() {
            return Ok(first);
        }
        let mut center = first.center;
        for (i, c) in center.iter_mut().enumerate() {
            *c += dot(&first.lower[i * d..=i * d + i], &moments.mean[..=i]);
        }
        Ok(Self::new(center, multiply_lower(&first.lower, &second, d)))
    }

    /// `None` when the covariance is too close to singular.
    fn of_covariance(points: &Points<'_>, bounds: &Bounds) -> Option<Self> {
        let d = points.d;
        let range: Vec<f64> = bounds.high.iter().zip(&bounds.low).map(|(h, l)| h - l).collect();
        if range.contains(&0.0) {
            return None;
        }
        let middle = bounds.middle();
        let scale: Vec<f64> = range.iter().map(|r| 1.0 / r).collect();
        let moments = points.moments(&middle, &scale);
        let deviation: Vec<f64> =
            (0..d).map(|i| moments.covariance[i * d + i].max(0.0).sqrt()).collect();
        if deviation.iter().any(|s| *s < 1e-6) {
            return None;
        }
        let mut correlation = moments.covariance;
        for i in 0..d {
            for j in 0..d {
                correlation[i * d + j] /= deviation[i] * deviation[j];
            }
        }
        cholesky(&mut correlation, d, SAFE_PIVOT).ok()?;
        let mut center = middle;
        for i in 0..d {
            center[i] += moments.mean[i] * range[i];
            let scale = deviation[i] * range[i];
            correlation[i * d..(i + 1) * d].iter_mut().for_each(|v| *v *= scale);
        }
        Some(Self::new(center, correlation))
    }
}

impl Bounds {
    fn middle(&self) -> Vec<f64> {
        self.low.iter().zip(&self.high).map(|(l, h)| 0.5 * l + 0.5 * h).collect()
    }
}

impl Span {
    /// Picks affinely independent points until all others lie in their hull up to rounding.
    pub(crate) fn of(points: &Points<'_>, bounds: &Bounds) -> Self {
        let (d, n) = (points.d, points.n);
        let middle = bounds.middle();
        let mut rounding: f64 = 1.0;
        let scale: Vec<f64> = (0..d)
            .map(|j| {
                let range = bounds.high[j] - bounds.low[j];
                if range == 0.0 {
                    return 0.0;
                }
                rounding = rounding.max(bounds.high[j].abs().max(bounds.low[j].abs()) / range);
                1.0 / range
            })
            .collect();
        let threshold = 8.0 * d as f64 * f64::EPSILON * rounding;

        let mut rest = vec![0.0; d * n];
        for (rest, x) in rest.chunks_exact_mut(d).zip(points.iter()) {
            for j in 0..d {
                rest[j] = (x[j] - middle[j]) * scale[j];
            }
        }
        let origin = farthest(&rest, d).0;
        let first = rest[origin * d..(origin + 1) * d].to_vec();
        rest.chunks_exact_mut(d).for_each(|r| axpy(-1.0, &first, r));
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(d);
        let mut picked = Vec::with_capacity(d);
        while basis.len() < d {
            let (id, _) = farthest(&rest, d);
            let mut q = rest[id * d..(id + 1) * d].to_vec();
            for b in &basis {
                axpy(-dot(b, &q), b, &mut q);
            }
            let length = dot(&q, &q).sqrt();
            if length.is_nan() || length <= threshold {
                break;
            }
            crate::linalg::scale(1.0 / length, &mut q);
            for r in rest.chunks_exact_mut(d) {
                axpy(-dot(&q, r), &q, r);
            }
            basis.push(q);
            picked.push(id);
        }
        Self { origin, picked }
    }

    /// Orthonormal basis `[d, r]` of the directions of the hull, in the coordinates of the points.
    pub(crate) fn basis(&self, points: &Points<'_>) -> DMatrix<f64> {
        let origin = DVector::from_column_slice(points.column(self.origin));
        let edges: Vec<DVector<f64>> = self
            .picked
            .iter()
            .map(|&id| DVector::from_column_slice(points.column(id)) - &origin)
            .collect();
        DMatrix::from_columns(&edges).qr().q()
    }
}

/// The longest vector and its squared length; the first of equals.
fn farthest(vectors: &[f64], d: usize) -> (usize, f64) {
    vectors.chunks_exact(d).enumerate().fold((0, -1.0), |best, (i, v)| {
        let length = dot(v, v);
        if length > best.1 { (i, length) } else { best }
    })
}
