//! Failure criteria from files: half-spaces, boxes and ellipsoids on named features, and their union.
//!
//! ```toml
//! units = "physical"            # or "standardised", with the moments of the flow
//!
//! [[half_space]]                # 1.0 h - 0.2 v <= 50
//! features = { h = 1.0, v = -0.2 }
//! at_most = 50.0
//!
//! [[box]]                       # all of these together
//! features = { theta = [0.3, inf], q = [-0.1, 0.1] }
//!
//! [[ellipsoid]]                 # the smallest one around these points
//! features = ["x", "y"]
//! points = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
//! ```

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use flow_core::bijection::Standardise;
use latent_is::{EvalError, LimitState};
use mvee::{Ellipsoid, Mvee};
use nalgebra::{DMatrix, DMatrixView, DVector};
use serde::Deserialize;
use toml::Spanned;

/// A criterion as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    units: Units,
    #[serde(default)]
    half_space: Vec<HalfSpace>,
    #[serde(default, rename = "box")]
    boxes: Vec<Bounds>,
    #[serde(default)]
    ellipsoid: Vec<Points>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Units {
    #[default]
    Physical,
    Standardised,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HalfSpace {
    features: Spanned<BTreeMap<String, f64>>,
    at_least: Option<f64>,
    at_most: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    features: Spanned<BTreeMap<String, [f64; 2]>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Points {
    features: Spanned<Vec<String>>,
    points: Spanned<Vec<Vec<f64>>>,
}

/// The union of failure regions, as a limit state on standardised features: failure where any region
/// is reached.
#[derive(Clone, Debug)]
pub struct Criterion {
    dim: usize,
    regions: Vec<Region>,
}

/// One region, on standardised features.
#[derive(Clone, Debug)]
enum Region {
    /// $(t - c \cdot z) / \lVert c \rVert$
    HalfSpace { normal: DVector<f64>, offset: f64 },
    /// The largest of the distances to the bounds, by feature.
    Box(Vec<(usize, [f64; 2])>),
    /// Distance to an ellipsoid in some of the features.
    Ellipsoid(Vec<usize>, Ellipsoid),
}

impl Criterion {
    /// Reads a criterion on the features `names` with moments `moments`.
    ///
    /// # Errors
    /// When the file cannot be read, and as [`parse`](Self::parse).
    pub fn read(path: &Path, names: &[String], moments: &Standardise) -> anyhow::Result<Self> {
        let origin = path.display().to_string();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {origin}"))?;
        Self::parse(&text, &origin, names, moments)
    }

    /// Reads a criterion from text; `origin` names the file in messages.
    ///
    /// # Errors
    /// With the line: what is no TOML, an unknown key, a feature that does not exist, a region that
    /// is empty or without bounds, points that cannot be enclosed.
    pub fn parse(
        text: &str,
        origin: &str,
        names: &[String],
        moments: &Standardise,
    ) -> anyhow::Result<Self> {
        let file: File =
            toml::from_str(text).with_context(|| format!("cannot read criterion {origin}"))?;
        let reader = Reader { text, origin, names, moments, units: file.units };
        let mut regions = Vec::new();
        for region in &file.half_space {
            regions.push(reader.half_space(region)?);
        }
        for region in &file.boxes {
            regions.push(reader.bounds(region)?);
        }
        for region in &file.ellipsoid {
            regions.push(reader.ellipsoid(region)?);
        }
        anyhow::ensure!(
            !regions.is_empty(),
            "{origin} names no region; write a [[half_space]], a [[box]] or an [[ellipsoid]]"
        );
        Ok(Self { dim: names.len(), regions })
    }
}

impl LimitState for Criterion {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, z: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let nearest = |z: &[f64]| {
            self.regions.iter().map(|region| region.distance(z)).fold(f64::INFINITY, f64::min)
        };
        Ok(DVector::from_iterator(z.ncols(), z.column_iter().map(|z| nearest(z.as_slice()))))
    }
}

impl Region {
    fn distance(&self, z: &[f64]) -> f64 {
        match self {
            Self::HalfSpace { normal, offset } => {
                offset - normal.iter().zip(z).map(|(n, z)| n * z).sum::<f64>()
            }
            Self::Box(bounds) => bounds
                .iter()
                .map(|&(i, [low, high])| (low - z[i]).max(z[i] - high))
                .fold(f64::NEG_INFINITY, f64::max),
            Self::Ellipsoid(features, ellipsoid) => {
                let part: Vec<f64> = features.iter().map(|&i| z[i]).collect();
                ellipsoid.distance(&part)
            }
        }
    }
}

/// What is needed to turn a written region into one on standardised features.
struct Reader<'a> {
    text: &'a str,
    origin: &'a str,
    names: &'a [String],
    moments: &'a Standardise,
    units: Units,
}

impl Reader<'_> {
    /// An error at the line of `span`.
    fn at(&self, span: std::ops::Range<usize>, message: &str) -> anyhow::Error {
        let line = self.text[..span.start].matches('\n').count() + 1;
        anyhow::anyhow!("{}, line {line}: {message}", self.origin)
    }

    fn feature(&self, name: &str, span: std::ops::Range<usize>) -> anyhow::Result<usize> {
        self.names.iter().position(|known| known == name).ok_or_else(|| {
            let known = self.names.join(", ");
            self.at(span, &format!("there is no feature `{name}`; there is {known}"))
        })
    }

    /// A value of feature `i`, standardised.
    fn standardised(&self, i: usize, value: f64) -> f64 {
        match self.units {
            Units::Standardised => value,
            Units::Physical => (value - self.moments.mean()[i]) / self.moments.sd()[i],
        }
    }

    fn half_space(&self, region: &HalfSpace) -> anyhow::Result<Region> {
        let span = region.features.span();
        // c·x >= t, in standardised features (c s)·z >= t - c·m.
        let (sign, threshold) = match (region.at_least, region.at_most) {
            (Some(t), None) => (1.0, t),
            (None, Some(t)) => (-1.0, t),
            _ => {
                return Err(self.at(span, "a half-space has either `at_least` or `at_most`"));
            }
        };
        let mut normal = DVector::zeros(self.names.len());
        let mut offset = sign * threshold;
        for (name, factor) in region.features.get_ref() {
            let i = self.feature(name, span.clone())?;
            let (mean, sd) = match self.units {
                Units::Standardised => (0.0, 1.0),
                Units::Physical => (self.moments.mean()[i], self.moments.sd()[i]),
            };
            normal[i] = sign * factor * sd;
            offset -= sign * factor * mean;
        }
        let norm = normal.norm();
        if !(norm > 0.0 && norm.is_finite() && offset.is_finite()) {
            return Err(self.at(span, "the half-space needs finite factors, not all of them zero"));
        }
        Ok(Region::HalfSpace { normal: normal / norm, offset: offset / norm })
    }

    fn bounds(&self, region: &Bounds) -> anyhow::Result<Region> {
        let span = region.features.span();
        let mut bounds = Vec::new();
        for (name, [low, high]) in region.features.get_ref() {
            let i = self.feature(name, span.clone())?;
            // NaN is in no order with anything and refused too.
            if low.partial_cmp(high) != Some(std::cmp::Ordering::Less) {
                let message = format!("`{name}` has the bounds {low} and {high}, in that order");
                return Err(self.at(span, &message));
            }
            bounds.push((i, [self.standardised(i, *low), self.standardised(i, *high)]));
        }
        if bounds.iter().all(|(_, bounds)| bounds.iter().all(|v| v.is_infinite())) {
            return Err(self.at(span, "the box has no bound and holds everything"));
        }
        Ok(Region::Box(bounds))
    }

    fn ellipsoid(&self, region: &Points) -> anyhow::Result<Region> {
        let span = region.features.span();
        let features = region
            .features
            .get_ref()
            .iter()
            .map(|name| self.feature(name, span.clone()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let (points, span) = (region.points.get_ref(), region.points.span());
        if let Some(odd) = points.iter().find(|point| point.len() != features.len()) {
            let message =
                format!("a point has {} numbers for {} features", odd.len(), features.len());
            return Err(self.at(span, &message));
        }
        let points = DMatrix::from_fn(features.len(), points.len(), |i, j| {
            self.standardised(features[i], points[j][i])
        });
        let solution = Mvee::default()
            .solve(points.as_view())
            .map_err(|error| self.at(span, &format!("the points have no ellipsoid: {error}")))?;
        Ok(Region::Ellipsoid(features, solution.ellipsoid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["x", "y"].map(str::to_owned).into()
    }

    fn moments() -> Standardise {
        Standardise::new(vec![10.0, -5.0], vec![2.0, 4.0]).unwrap()
    }

    /// The limit state at a point in physical units.
    fn value(text: &str, point: [f64; 2]) -> f64 {
        let criterion = Criterion::parse(text, "c.toml", &names(), &moments()).unwrap();
        let x = DMatrix::from_column_slice(2, 1, &point);
        criterion.evaluate(moments().apply(x.as_view()).as_view()).unwrap()[0]
    }

    #[test]
    fn regions_are_where_they_were_put() {
        let half = "[[half_space]]\nfeatures = { x = 1.0, y = -1.0 }\nat_least = 20.0\n";
        assert!(value(half, [14.0, -5.0]) > 0.0 && value(half, [15.5, -5.0]) < 0.0);
        // 2 z_x - 4 z_y >= 5: the distance from the mean is 5 / sqrt(20).
        assert!((value(half, [10.0, -5.0]) - 5.0 / 20.0_f64.sqrt()).abs() < 1e-12);
        let low = "[[half_space]]\nfeatures = { y = 1.0 }\nat_most = -9.0\n";
        assert!((value(low, [0.0, -9.0])).abs() < 1e-12 && value(low, [0.0, -10.0]) < 0.0);

        let bounds = "[[box]]\nfeatures = { x = [11.0, inf], y = [-6.0, -4.0] }\n";
        assert!(value(bounds, [12.0, -5.0]) < 0.0 && value(bounds, [12.0, -3.0]) > 0.0);
        let standard =
            "units = \"standardised\"\n[[box]]\nfeatures = { x = [0.5, 1.5], y = [-1.0, 1.0] }\n";
        assert!(value(standard, [12.0, -5.0]) < 0.0 && value(standard, [14.0, -5.0]) > 0.0);

        let points = "[[ellipsoid]]\nfeatures = [\"y\", \"x\"]\npoints = [[-6, 9], [-4, 9], [-6, 11], [-4, 11]]\n";
        assert!(value(points, [10.0, -5.0]) < 0.0 && value(points, [11.0, -4.0]).abs() < 1e-6);
        let both = format!("{half}{points}");
        assert!(value(&both, [10.0, -5.0]) < 0.0 && value(&both, [15.5, -5.0]) < 0.0);
    }

    #[test]
    fn mistakes_are_shown_with_their_line() {
        let message = |text: &str| {
            let error = Criterion::parse(text, "c.toml", &names(), &moments()).unwrap_err();
            format!("{error:#}")
        };
        let cases = [
            (
                "[[box]]\nfeatures = { h = [0.0, 1.0] }\n",
                "line 2: there is no feature `h`; there is x, y",
            ),
            ("[[box]]\nfeature = { x = [0.0, 1.0] }\n", "unknown field `feature`"),
            ("[[sphere]]\n", "unknown field `sphere`"),
            ("\n[[box]]\nfeatures = { x = [1.0, 0.0] }\n", "line 3: `x` has the bounds 1 and 0"),
            ("[[box]]\nfeatures = { x = [-inf, inf] }\n", "holds everything"),
            ("[[half_space]]\nfeatures = { x = 1.0 }\n", "line 2: a half-space has either"),
            ("[[half_space]]\nfeatures = { x = 0.0 }\nat_most = 1.0\n", "not all of them zero"),
            (
                "[[ellipsoid]]\nfeatures = [\"x\", \"y\"]\npoints = [[0, 0], [1, 1]]\n",
                "line 3: the points have no",
            ),
            (
                "[[ellipsoid]]\nfeatures = [\"x\", \"y\"]\npoints = [[0, 0, 0]]\n",
                "a point has 3 numbers for 2",
            ),
            ("", "names no region"),
        ];
        for (text, expected) in cases {
            let message = message(text);
            assert!(message.contains("c.toml") && message.contains(expected), "{message}");
        }
    }
}
