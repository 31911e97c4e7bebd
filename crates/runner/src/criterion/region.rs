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
        }
    }
}
