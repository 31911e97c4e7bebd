//! A continuous feature through its quantiles.

use serde::{Deserialize, Serialize};
use tails::normal;

use crate::{
    error::FlowError,
    marginals::{
        map::{Image, MarginalMap},
        tail::ParetoTail,
    },
};

/// Fewest values that a map is fitted to.
pub(super) const FEWEST: usize = 100;
/// Share of the values beyond the threshold of each tail.
const TAIL: f64 = 0.05;
/// Fewest and most values in a tail.
const PER_TAIL: [usize; 2] = [20, 1_000];
/// By how much the log-likelihood of a tail that ends must exceed that of an exponential one: where it does not, the
/// data do not show an end (likelihood ratio at 1 %), and the tail is exponential.
const ENDS: f64 = 3.32;
/// Values per knot in the middle, and the largest number of knots.
const PER_KNOT: usize = 80;
const MOST_KNOTS: usize = 60;

/// The map of a continuous feature: in the middle, monotone rational-quadratic pieces through quantiles of the
/// data; beyond a threshold on each side, a generalised Pareto tail. The map has a continuous derivative, also where
/// the parts meet.
///
/// # References
/// - J. A. Gregory, R. Delbourgo: Piecewise rational quadratic interpolation to monotonic data. *IMA Journal of
///   Numerical Analysis* 2 (1982), 123–130.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct QuantileMap {
    parts: Parts,
    /// Slopes $\mathrm dz/\mathrm dx$ at the knots.
    slopes: Vec<f64>,
}

/// What a file holds of a [`QuantileMap`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// Knots: values of the feature, increasing.
    x: Vec<f64>,
    /// Their places on the normal scale, increasing. The first and the last are the thresholds of the tails.
    z: Vec<f64>,
    lower: ParetoTail,
    upper: ParetoTail,
}

/// Ends of the range of a feature; infinite where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    pub(super) const UNBOUNDED: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };
}

impl QuantileMap {
    /// Fits the map to `values`, `[n]`, all of them within `range`.
    ///
    /// # Errors
    /// [`FlowError::Marginal`] for fewer than 100 values, and when too many are equal.
    pub(super) fn fit(values: &[f64], range: Range) -> Result<Self, FlowError> {
        let n = values.len();
        if n < FEWEST {
            return Err(FlowError::marginal(format!(
                "{n} values are too few, {FEWEST} are needed"
            )));
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mirrored: Vec<f64> = sorted.iter().rev().map(|v| -v).collect();
        let (below, lower) = fit_tail(&mirrored, -range.low)?;
        let (above, upper) = fit_tail(&sorted, range.high)?;
        let (first, last) = (-lower.begin(), upper.begin());
        let count = (n / PER_KNOT).clamp(3, MOST_KNOTS);
        let (mut x, mut z) = (vec![-below], vec![first]);
        for j in 1..count {
            let place = first + (last - first) * j as f64 / count as f64;
            let knot = quantile(&sorted, normal::ln_cdf(place).exp());
            // Equal values give equal quantiles: one knot is enough for them.
            if knot > x[x.len() - 1] && knot < above {
                x.push(knot);
                z.push(place);
            }
        }
        x.push(above);
        z.push(last);
        Self::new(Parts { x, z, lower, upper }).map_err(FlowError::marginal)
    }

    fn new(parts: Parts) -> Result<Self, String> {
        let Parts { x, z, lower, upper } = &parts;
        let increasing = |v: &[f64]| {
            v.iter().all(|v| v.is_finite()) && v.windows(2).all(|pair| pair[0] < pair[1])
        };
        if !(x.len() == z.len() && x.len() >= 2 && increasing(x) && increasing(z)) {
            return Err(
                "the quantiles of a feature do not increase: too many values are equal".into()
            );
        }
        if !(lower.is_valid() && upper.is_valid()) {
            return Err("the tail of a feature has no valid shape and scale".into());
        }
        let last = x.len() - 1;
        let secant = |k: usize| (z[k + 1] - z[k]) / (x[k + 1] - x[k]);
        let mut slopes = vec![0.0; x.len()];
        slopes[0] = lower.ln_slope(lower.begin()).exp();
        slopes[last] = upper.ln_slope(upper.begin()).exp();
        for k in 1..last {
            // Any positive slope keeps the pieces increasing; this one is of second order.
            let (left, right) = (x[k] - x[k - 1], x[k + 1] - x[k]);
            slopes[k] = (left + right) / (left / secant(k - 1) + right / secant(k));
        }
        if slopes.iter().any(|s| !(*s > 0.0 && s.is_finite())) {
            return Err("the values of a feature are too close together or too far apart".into());
        }
        Ok(Self { parts, slopes })
    }

    /// The lower tail.
    pub fn lower(&self) -> &ParetoTail {
        &self.parts.lower
    }

    /// The upper tail.
    pub fn upper(&self) -> &ParetoTail {
        &self.parts.upper
    }

    /// Where the tails begin.
    pub(super) fn thresholds(&self) -> [f64; 2] {
        [self.parts.x[0], self.parts.x[self.parts.x.len() - 1]]
    }

    /// The size of the values in the middle.
    pub(super) fn size(&self) -> f64 {
        self.parts.x[0].abs().max(self.parts.x[self.parts.x.len() - 1].abs())
    }

    /// The piece from knot `k` to the next.
    fn piece(&self, k: usize) -> Piece {
        let Parts { x, z, .. } = &self.parts;
        Piece {
            x: x[k],
            z: z[k],
            width: x[k + 1] - x[k],
            height: z[k + 1] - z[k],
            slopes: [self.slopes[k], self.slopes[k + 1]],
        }
    }
}

impl MarginalMap for QuantileMap {
    fn encode(&self, x: f64) -> Image {
        let knots = &self.parts.x;
        let last = knots.len() - 1;
        if x >= knots[last] {
            return self.parts.upper.encode(x - knots[last]);
        }
        if x <= knots[0] {
            let image = self.parts.lower.encode(knots[0] - x);
            return Image { value: -image.value, ..image };
        }
        self.piece(knots.partition_point(|knot| *knot <= x) - 1).encode(x)
    }

    fn decode(&self, z: f64) -> Image {
        let (knots, places) = (&self.parts.x, &self.parts.z);
        let last = knots.len() - 1;
        if z >= places[last] {
            let image = self.parts.upper.decode(z);
            return Image { value: knots[last] + image.value, ..image };
        }
        if z <= places[0] {
            let image = self.parts.lower.decode(-z);
            return Image { value: knots[0] - image.value, ..image };
        }
        self.piece(places.partition_point(|place| *place <= z) - 1).decode(z)
    }
}

/// One rational-quadratic piece.
struct Piece {
    x: f64,
    z: f64,
    width: f64,
    height: f64,
    slopes: [f64; 2],
}

impl Piece {
    fn encode(&self, x: f64) -> Image {
        let t = ((x - self.x) / self.width).clamp(0.0, 1.0);
        let secant = self.height / self.width;
        let [a, b] = self.slopes;
        let below = secant + (a + b - 2.0 * secant) * t * (1.0 - t);
        let value = self.z + self.height * (secant * t * t + a * t * (1.0 - t)) / below;
        Image { value, ln_slope: self.ln_slope(t, below) }
    }

    fn decode(&self, z: f64) -> Image {
        let secant = self.height / self.width;
        let [a, b] = self.slopes;
        let rise = z - self.z;
        let bend = a + b - 2.0 * secant;
        // A quadratic equation; this form of its root loses no digits.
        let (q, p, r) = (
            self.height * (secant - a) + rise * bend,
            self.height * a - rise * bend,
            -secant * rise,
        );
        let root = (p * p - 4.0 * q * r).max(0.0).sqrt();
        let t = (2.0 * r / (-p - root)).clamp(0.0, 1.0);
        let below = secant + bend * t * (1.0 - t);
        Image { value: self.x + t * self.width, ln_slope: -self.ln_slope(t, below) }
    }

    /// Logarithm of the slope at the relative place `t`.
    fn ln_slope(&self, t: f64, below: f64) -> f64 {
        let secant = self.height / self.width;
        let [a, b] = self.slopes;
        let above = b * t * t + 2.0 * secant * t * (1.0 - t) + a * (1.0 - t) * (1.0 - t);
        2.0 * (secant / below).ln() + above.ln()
    }
}

/// The upper tail of sorted values that end at `end`: its threshold and its distribution.
fn fit_tail(sorted: &[f64], end: f64) -> Result<(f64, ParetoTail), FlowError> {
    let n = sorted.len();
    let [fewest, most] = PER_TAIL;
    let k = ((TAIL * n as f64) as usize).clamp(fewest, most);
    let mut at = n - k - 1;
    // Values equal to the threshold are not beyond it.
    while at > n / 2 && sorted[n - 1] <= sorted[at] {
        at -= 1;
    }
    let threshold = sorted[at];
    let excesses: Vec<f64> =
        sorted[at + 1..].iter().map(|v| v - threshold).filter(|y| *y > 0.0).collect();
    let share = excesses.len() as f64 / n as f64;
    if end.is_finite() {
        // With a given end the likelihood has one parameter: -shape is the mean of -ln(1 - y / width). The
        // widest excess is kept off the end by less than the values tell apart.
        let width = end - threshold;
        let sum: f64 = excesses.iter().map(|y| -(-(y / width).min(1.0 - 1e-9)).ln_1p()).sum();
        if !(width > 0.0 && sum > 0.0) {
            return Err(FlowError::marginal("too many values are at a bound"));
        }
        let shape = -sum / excesses.len() as f64;
        let tail = ParetoTail { share, shape, shape_error: None, scale: -shape * width };
        return Ok((threshold, tail));
    }
    let fit = tails::fit(&excesses).map_err(|error| FlowError::marginal(error.to_string()))?;
    // NaN where the likelihood says nothing about the shape.
    let error = if fit.shape_error.is_nan() { f64::INFINITY } else { fit.shape_error };
    let shape = fit.distribution.shape();
    let k = excesses.len() as f64;
    let mean = excesses.iter().sum::<f64>() / k;
    let exponential = -k * (mean.ln() + 1.0);
    if shape < 0.0 && fit.ln_likelihood - exponential < ENDS {
        // Values beyond an end that the data do not show would be impossible.
        let tail = ParetoTail { share, shape: 0.0, shape_error: Some(error), scale: mean };
        return Ok((threshold, tail));
    }
    // Where a tail ends abruptly the likelihood puts its end at the largest value, which would then stand at infinity.
    // The end of k uniform numbers is estimated 1/k beyond the largest.
    let widest = excesses.iter().fold(0.0_f64, |a, b| a.max(*b));
    let scale = fit.distribution.scale().max(-shape * widest * (1.0 + 1.0 / k));
    Ok((threshold, ParetoTail { share, shape, shape_error: Some(error), scale }))
}

/// The quantile of sorted values; value `i` of `n` stands at $(i + \frac12)/n$.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = (p * sorted.len() as f64 - 0.5).clamp(0.0, (sorted.len() - 1) as f64);
    let i = (place as usize).min(sorted.len() - 2);
    sorted[i] + (place - i as f64) * (sorted[i + 1] - sorted[i])
}

impl TryFrom<Parts> for QuantileMap {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        Self::new(parts)
    }
}

impl From<QuantileMap> for Parts {
    fn from(map: QuantileMap) -> Self {
        map.parts
    }
}
