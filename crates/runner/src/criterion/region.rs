//! One region of failure, on standardised features.

use mvee::Ellipsoid;
use nalgebra::DVector;

/// A region in standardised units. Its distance is positive outside, zero on the boundary and
/// negative inside.
#[derive(Clone, Debug)]
pub(super) enum Region {
    /// The half-space $c \cdot x_\mathrm{std} \ge t$, with `normal` $= c / \lVert c \rVert$ and
    /// `offset` $= t / \lVert c \rVert$.
    HalfSpace { normal: DVector<f64>, offset: f64 },
    /// Lower and upper bounds by feature. The distance is the largest distance to a bound.
    Box(Vec<(usize, [f64; 2])>),
    /// An ellipsoid in some of the features.
    Ellipsoid(Vec<usize>, Ellipsoid),
    /// The outcomes in at least `k` of the regions: with `k` = 1 their union, with all of them their
    /// intersection. The distance is the `k`-th smallest of theirs.
    KOutOfN(usize, Vec<Region>),
    /// The outcomes in none of the regions, and their boundary. The distance is that of their union with
    /// the opposite sign.
    Outside(Vec<Region>),
}

impl Region {
    /// The signed distance of one standardised outcome, `[d]`.
    pub(super) fn distance(&self, x_std: &[f64]) -> f64 {
        match self {
            Self::HalfSpace { normal, offset } => {
                offset - normal.iter().zip(x_std).map(|(n, x)| n * x).sum::<f64>()
            }
            Self::Box(bounds) => bounds
                .iter()
                .map(|&(i, [low, high])| (low - x_std[i]).max(x_std[i] - high))
                .fold(f64::NEG_INFINITY, f64::max),
            Self::Ellipsoid(features, ellipsoid) => {
                let part: Vec<f64> = features.iter().map(|&i| x_std[i]).collect();
                ellipsoid.distance(&part)
            }
            Self::KOutOfN(1, regions) => nearest(regions, x_std),
            Self::KOutOfN(k, regions) => {
                let mut distances: Vec<f64> = regions.iter().map(|r| r.distance(x_std)).collect();
                *distances.select_nth_unstable_by(k - 1, f64::total_cmp).1
            }
            Self::Outside(regions) => -nearest(regions, x_std),
        }
    }
}

/// The distance of the nearest region.
fn nearest(regions: &[Region], x_std: &[f64]) -> f64 {
    regions.iter().map(|region| region.distance(x_std)).fold(f64::INFINITY, f64::min)
}
