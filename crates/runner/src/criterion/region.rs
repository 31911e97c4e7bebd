//! One region of failure, on standardised features.

use mvee::Ellipsoid;
use nalgebra::DVector;

use crate::criterion::expression::Expression;

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
    /// The outcomes for which a comparison holds. The distance is the difference of its two sides, in units of
    /// `scale`.
    Expression(Box<Scaled>),
    /// The outcomes in at least `k` of the regions: with `k` = 1 their union, with all of them their
    /// intersection. The distance is the `k`-th smallest of theirs.
    KOutOfN(usize, Vec<Region>),
    /// The outcomes in none of the regions, and their boundary. The distance is that of their union with
    /// the opposite sign.
    Outside(Vec<Region>),
}

/// An expression on features in their units.
#[derive(Clone, Debug)]
pub(super) struct Scaled {
    pub(super) expression: Expression,
    /// Means of the features, `[d]`.
    pub(super) mean: Vec<f64>,
    /// Their standard deviations, `[d]`.
    pub(super) sd: Vec<f64>,
    pub(super) scale: f64,
}

impl Scaled {
    /// An expression with the change of its difference over one standard deviation of all its features as the
    /// scale, so that its distances are comparable with those of other regions; 1 where there is no such change.
    pub(super) fn new(expression: Expression, mean: Vec<f64>, sd: Vec<f64>) -> Self {
        let mut changes = 0.0;
        for i in expression.features() {
            let at =
                |step: f64| expression.value(|j| mean[j] + if i == j { step * sd[j] } else { 0.0 });
            changes += ((at(1.0) - at(-1.0)) / 2.0).powi(2);
        }
        let scale = changes.sqrt();
        let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
        Self { expression, mean, sd, scale }
    }

    fn distance(&self, x_std: &[f64]) -> f64 {
        self.expression.value(|i| self.mean[i] + self.sd[i] * x_std[i]) / self.scale
    }
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
            Self::Expression(scaled) => scaled.distance(x_std),
            Self::KOutOfN(k, regions) => smallest(*k, regions, x_std),
            Self::Outside(regions) => -smallest(1, regions, x_std),
        }
    }
}

/// The `k`-th smallest distance. An expression may have no value, NaN: then the result is NaN too, unless the
/// sign does not depend on it.
fn smallest(k: usize, regions: &[Region], x_std: &[f64]) -> f64 {
    let mut distances: Vec<f64> = regions.iter().map(|region| region.distance(x_std)).collect();
    let unknown = distances.iter().filter(|d| d.is_nan()).count();
    distances.retain(|d| !d.is_nan());
    distances.sort_unstable_by(f64::total_cmp);
    // Were all unknown ones far outside, and were all deep inside.
    let farthest = distances.get(k - 1).copied().unwrap_or(f64::INFINITY);
    let nearest = k.checked_sub(unknown + 1).map_or(f64::NEG_INFINITY, |place| distances[place]);
    match unknown {
        0 => farthest,
        _ if farthest <= 0.0 => farthest,
        _ if nearest > 0.0 => nearest,
        _ => f64::NAN,
    }
}
