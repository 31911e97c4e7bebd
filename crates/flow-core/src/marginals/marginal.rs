//! The map of one feature: which it is, and how it is chosen.

use std::fmt;

use serde::{Deserialize, Serialize};
use tails::normal;

use crate::{
    error::FlowError,
    marginals::{
        atoms::{Atom, AtomicMap, rounding},
        choice::MarginalChoice,
        integer::IntegerMap,
        map::MarginalMap,
        periodic::{PeriodicMap, emptiest},
        quantile::{FEWEST, QuantileMap, Range},
        tail::ParetoTail,
    },
};

/// A feature with at most so many different values consists of atoms.
const FEW_VALUES: usize = 20;
/// Smallest share and smallest number of rows of an atom among other values.
const ATOM: (f64, usize) = (0.01, 20);
/// Largest number of atoms among other values; more are rounded numbers.
const MOST_ATOMS: usize = 5;
/// A tail is heavy if its mean excess is larger than that of the normal distribution with the same mean and
/// standard deviation, and its log-likelihood by so much: for normal values in less than 1 % of the cases.
const HEAVIER: f64 = 5.0;
/// A tail with at most this shape ends abruptly: a uniform density has -1, one that falls linearly to zero -0.5.
const ABRUPT: f64 = -0.7;

/// The map of one feature to a standard normal scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Marginal {
    /// Mean and standard deviation alone.
    Affine,
    /// Quantiles and generalised Pareto tails.
    Quantile(QuantileMap),
    /// Values that many rows have exactly, with others or without.
    Atomic(AtomicMap),
    /// Whole numbers.
    Integer(IntegerMap),
    /// Values that repeat after a period.
    Periodic(PeriodicMap),
}

impl Marginal {
    /// The map of a feature with these values, `[n]`.
    ///
    /// `auto` takes the first of these that applies:
    ///
    /// 1. fewer than 100 rows: affine;
    /// 2. at most 20 different values: each is an atom;
    /// 3. whole numbers: integer;
    /// 4. one to five values that at least 1 % and 20 of the rows have (up to rounding): atoms, the others by
    ///    quantiles;
    /// 5. a tail that is heavier than that of a normal distribution (larger mean excess over the threshold, and a
    ///    log-likelihood of the excesses that is larger by 5), or one that ends abruptly (shape of at most
    ///    -0.7): quantile;
    /// 6. otherwise affine.
    ///
    /// # Errors
    /// [`FlowError::Marginal`] when the values do not suit the choice.
    pub fn choose(values: &[f64], choice: MarginalChoice) -> Result<Self, FlowError> {
        match choice {
            MarginalChoice::Auto => Self::by_rule(values),
            MarginalChoice::Affine => Ok(Self::Affine),
            MarginalChoice::Quantile => Self::with_atoms(values, Range::UNBOUNDED),
            MarginalChoice::Bounded { low, high } => {
                if let Some(bad) = values.iter().find(|v| !(low..=high).contains(*v)) {
                    let text = format!("the value {bad} is not within the bounds {low} and {high}");
                    return Err(FlowError::marginal(text));
                }
                Self::with_atoms(values, Range { low, high })
            }
            MarginalChoice::Integer => Self::integer(values),
            MarginalChoice::Periodic { period } => Self::periodic(values, period),
        }
    }

    fn by_rule(values: &[f64]) -> Result<Self, FlowError> {
        if values.len() < FEWEST {
            return Ok(Self::Affine);
        }
        let counts = counts(values);
        if counts.len() <= FEW_VALUES {
            return Self::with_atoms(values, Range::UNBOUNDED);
        }
        if values.iter().all(|v| v.fract() == 0.0) {
            return Self::integer(values);
        }
        if (1..=MOST_ATOMS).contains(&frequent(&counts, values.len()).len()) {
            return Self::with_atoms(values, Range::UNBOUNDED);
        }
        let map = QuantileMap::fit(values, Range::UNBOUNDED)?;
        let mirrored: Vec<f64> = values.iter().map(|v| -v).collect();
        let [low, high] = map.thresholds();
        let striking = |values: &[f64], threshold: f64, tail: &ParetoTail| {
            tail.shape <= ABRUPT || is_heavy(values, threshold, tail)
        };
        let quantile =
            striking(values, high, map.upper()) || striking(&mirrored, -low, map.lower());
        Ok(if quantile { Self::Quantile(map) } else { Self::Affine })
    }

    /// The frequent values as atoms, the others by their quantiles.
    fn with_atoms(values: &[f64], range: Range) -> Result<Self, FlowError> {
        let (n, counts) = (values.len() as f64, counts(values));
        let all = counts.len() <= FEW_VALUES;
        let atoms = if all { counts } else { frequent(&counts, values.len()) };
        if atoms.is_empty() {
            return QuantileMap::fit(values, range).map(Self::Quantile);
        }
        let near = rounding(values.iter().fold(0.0, |size: f64, v| size.max(v.abs())));
        let is_atom = |v: &f64| atoms.iter().any(|(atom, _)| (atom - v).abs() <= near);
        let others: Vec<f64> = values.iter().copied().filter(|v| !is_atom(v)).collect();
        let masses =
            atoms.iter().map(|(value, count)| Atom { value: *value, mass: *count as f64 / n });
        let map = if others.is_empty() {
            AtomicMap::new(masses.collect(), None)
        } else {
            // Where all other values are on one side of the outermost atom, it is a bound.
            let [first, last] = [atoms[0].0, atoms[atoms.len() - 1].0];
            let range = Range {
                low: if others.iter().all(|v| *v > first) { first } else { range.low },
                high: if others.iter().all(|v| *v < last) { last } else { range.high },
            };
            AtomicMap::new(masses.collect(), Some(QuantileMap::fit(&others, range)?))
        };
        map.map(Self::Atomic).map_err(FlowError::marginal)
    }

    fn integer(values: &[f64]) -> Result<Self, FlowError> {
        if let Some(bad) = values.iter().find(|v| v.fract() != 0.0) {
            return Err(FlowError::marginal(format!("{bad} is not a whole number")));
        }
        // The gaps are filled evenly, not by chance: equal numbers stand side by side.
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mut filled = Vec::with_capacity(sorted.len());
        for equal in sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()) {
            let count = equal.len() as f64;
            filled.extend((0..equal.len()).map(|i| equal[0] - 0.5 + (i as f64 + 0.5) / count));
        }
        // Counts do not go below zero.
        let low = if sorted[0] == 0.0 { -0.5 } else { f64::NEG_INFINITY };
        let filled = QuantileMap::fit(&filled, Range { low, high: f64::INFINITY })?;
        Ok(Self::Integer(IntegerMap { filled }))
    }

    fn periodic(values: &[f64], period: f64) -> Result<Self, FlowError> {
        let (least, most) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        if most - least > period {
            let text =
                format!("the values {least} and {most} are more than a period of {period} apart");
            return Err(FlowError::marginal(text));
        }
        let cut = emptiest(values, period);
        let opened: Vec<f64> = values.iter().map(|v| cut + (v - cut).rem_euclid(period)).collect();
        let open = QuantileMap::fit(&opened, Range { low: cut, high: cut + period })?;
        // The usual conventions: from zero, or from minus half a period.
        let base = if least >= 0.0 && most <= period {
            0.0
        } else if least >= -0.5 * period && most <= 0.5 * period {
            -0.5 * period
        } else {
            least
        };
        Ok(Self::Periodic(PeriodicMap { period, cut, base, open }))
    }

    /// The map; `None` for an affine feature.
    pub fn map(&self) -> Option<&dyn MarginalMap> {
        match self {
            Self::Affine => None,
            Self::Quantile(map) => Some(map),
            Self::Atomic(map) => Some(map),
            Self::Integer(map) => Some(map),
            Self::Periodic(map) => Some(map),
        }
    }
}

/// The different values in increasing order with their counts. -0 is 0. Values that differ by rounding alone, as
/// an atom that was computed in several ways, are one value: the most frequent of them.
fn counts(values: &[f64]) -> Vec<(f64, usize)> {
    let mut sorted: Vec<f64> = values.iter().map(|v| v + 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    let near = rounding(sorted.iter().fold(0.0, |size: f64, v| size.max(v.abs())));
    sorted
        .chunk_by(|a, b| b - a <= near)
        .map(|close| {
            let equal = close.chunk_by(|a, b| a.total_cmp(b).is_eq());
            // The first of the most frequent ones.
            let most = equal.rev().max_by_key(|equal| equal.len());
            (most.map_or(close[0], |equal| equal[0]), close.len())
        })
        .collect()
}

/// The values that are atoms.
fn frequent(counts: &[(f64, usize)], n: usize) -> Vec<(f64, usize)> {
    let least = ((ATOM.0 * n as f64).ceil() as usize).max(ATOM.1);
    counts.iter().copied().filter(|(_, count)| *count >= least).collect()
}

/// Whether the values beyond the threshold have a heavier tail than a normal distribution.
fn is_heavy(values: &[f64], threshold: f64, tail: &ParetoTail) -> bool {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let begin = (threshold - mean) / sd;
    let ln_beyond = normal::ln_cdf(-begin);
    let ln_pdf = |z: f64| -0.5 * (z * z + normal::LN_2PI);
    let (mut count, mut sum, mut gain) = (0.0, 0.0, 0.0);
    for excess in values.iter().map(|v| v - threshold).filter(|excess| *excess > 0.0) {
        count += 1.0;
        sum += excess;
        gain += tail.ln_pdf(excess) - (ln_pdf(begin + excess / sd) - sd.ln() - ln_beyond);
    }
    let normal_excess = sd * ((ln_pdf(begin) - ln_beyond).exp() - begin);
    sum / count > normal_excess && gain > HEAVIER
}

impl fmt::Display for Marginal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Affine => f.write_str("mean and standard deviation alone"),
            Self::Quantile(map) => write!(f, "quantiles; {}", Tails(map)),
            Self::Integer(map) => write!(f, "whole numbers; {}", Tails(map.filled())),
            Self::Periodic(map) => {
                write!(f, "period {}, cut open at {:.4}", map.period(), map.cut())
            }
            Self::Atomic(map) => {
                for (k, atom) in map.atoms().iter().enumerate() {
                    let comma = if k == 0 { "" } else { ", " };
                    write!(f, "{comma}{:.2} % at {}", 100.0 * atom.mass, atom.value)?;
                }
                match map.others() {
                    Some(others) => write!(f, ", kept as atoms; the others: {}", Tails(others)),
                    None => f.write_str("; no other values"),
                }
            }
        }
    }
}

/// The two tails of a map, in words.
struct Tails<'a>(&'a QuantileMap);

impl fmt::Display for Tails<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |tail: &ParetoTail| match tail.shape_error {
            None => "ends at its bound".to_owned(),
            Some(error) if error.is_finite() => format!("shape {:.2} ± {error:.2}", tail.shape),
            Some(_) => format!("shape {:.2}, ends abruptly", tail.shape),
        };
        write!(f, "lower tail: {}, upper tail: {}", text(self.0.lower()), text(self.0.upper()))
    }
}
