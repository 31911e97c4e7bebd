//! A feature with point masses.

use serde::{Deserialize, Serialize};
use tails::normal;

use crate::marginals::{
    map::{Image, MarginalMap},
    quantile::QuantileMap,
};

/// A share of zero counts as this: the place of a value that the map knows no probability for is then 37.
const SMALLEST: f64 = 1e-300;

/// How near a value must be to an atom to be it, relative to the largest values of the feature.
const NEAR: f64 = 1e-11;

/// How far apart two values can be that differ by rounding alone, in a feature whose values are at most `size`.
pub(super) fn rounding(size: f64) -> f64 {
    NEAR * size
}

/// A value that many outcomes have, up to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Atom {
    /// The value.
    pub value: f64,
    /// Its probability.
    pub mass: f64,
}

/// A feature with atoms. Each atom is an interval of the normal scale, as long as its probability says. Between
/// the intervals, and beyond them, are the other values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct AtomicMap {
    parts: Parts,
    /// Probability of the values that are no atoms.
    rest: f64,
    /// The two ends of each atom on the normal scale.
    ends: Vec<[f64; 2]>,
    /// A value this near to an atom is the atom: a change of units rounds.
    near: f64,
}

/// What a file holds of an [`AtomicMap`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// In increasing order of their values.
    atoms: Vec<Atom>,
    /// The values that are no atoms; absent when all are.
    others: Option<QuantileMap>,
}

/// A probability with its complement, both with all their digits.
#[derive(Clone, Copy, Debug)]
struct Share {
    below: f64,
    above: f64,
}

impl Share {
    /// The place of the normal scale with this share below it.
    fn place(self) -> f64 {
        // Rounding may leave a share slightly below zero.
        if self.below <= self.above {
            normal::inverse_ln_cdf(self.below.max(SMALLEST).ln())
        } else {
            -normal::inverse_ln_cdf(self.above.max(SMALLEST).ln())
        }
    }
}

impl AtomicMap {
    /// From atoms in increasing order and the map of the other values, if there are any.
    pub(super) fn new(atoms: Vec<Atom>, others: Option<QuantileMap>) -> Result<Self, String> {
        let total: f64 = atoms.iter().map(|atom| atom.mass).sum();
        let rest = 1.0 - total;
        let ordered = atoms.windows(2).all(|pair| pair[0].value < pair[1].value);
        let positive = atoms.iter().all(|atom| atom.value.is_finite() && atom.mass > 0.0);
        let complete = match others {
            Some(_) => rest > 0.0,
            None => rest.abs() < 1e-9,
        };
        if atoms.is_empty() || !ordered || !positive || !complete {
            return Err("the atoms of a feature are not in order or have no valid masses".into());
        }
        let rest = if others.is_some() { rest } else { 0.0 };
        let size = atoms.iter().map(|atom| atom.value.abs()).fold(0.0, f64::max);
        let size = others.as_ref().map_or(size, |others| size.max(others.size()));
        let parts = Parts { atoms, others };
        let mut map = Self { parts, rest, ends: Vec::new(), near: rounding(size) };
        map.ends = (0..map.parts.atoms.len())
            .map(|k| [map.at_atom(k, 0.0).place(), map.at_atom(k, 1.0).place()])
            .collect();
        // The scale has no end: the outermost atoms reach to infinity where nothing is beyond them.
        if map.at_atom(0, 0.0).below <= 0.0 {
            map.ends[0][0] = f64::NEG_INFINITY;
        }
        let last = map.ends.len() - 1;
        if map.at_atom(last, 1.0).above <= 0.0 {
            map.ends[last][1] = f64::INFINITY;
        }
        Ok(map)
    }

    /// The atoms, in increasing order of their values.
    pub fn atoms(&self) -> &[Atom] {
        &self.parts.atoms
    }

    /// The map of the values that are no atoms.
    pub fn others(&self) -> Option<&QuantileMap> {
        self.parts.others.as_ref()
    }

    /// The mass of the atoms below and above the place between atoms `k - 1` and `k`.
    fn masses(&self, k: usize) -> [f64; 2] {
        let (below, above) = self.parts.atoms.split_at(k);
        [below, above].map(|side| side.iter().map(|atom| atom.mass).sum())
    }

    /// The share of the values up to `x`, between atoms `k - 1` and `k`.
    fn between(&self, k: usize, x: f64) -> Share {
        let [below, above] = self.masses(k);
        let Some(others) = &self.parts.others else { return Share { below, above } };
        let z = others.encode(x).value;
        let [low, high] = [z, -z].map(|z| self.rest * normal::ln_cdf(z).exp());
        Share { below: below + low, above: above + high }
    }

    /// The share up to the part `position` of atom `k`.
    fn at_atom(&self, k: usize, position: f64) -> Share {
        let Atom { value, mass } = self.parts.atoms[k];
        let before = self.between(k, value);
        Share { below: before.below + position * mass, above: before.above - position * mass }
    }

    fn image_of_atom(&self, k: usize, position: f64) -> Image {
        let [low, high] = self.ends[k];
        let value = self.at_atom(k, position).place().clamp(low, high);
        Image { value, ln_slope: self.parts.atoms[k].mass.ln() - ln_pdf(value) }
    }

    /// The atom with the value `x`, or the number of atoms below `x`.
    fn find(&self, x: f64) -> Result<usize, usize> {
        let atoms = &self.parts.atoms;
        let k = atoms.partition_point(|atom| atom.value < x - self.near);
        match atoms.get(k) {
            Some(atom) if atom.value <= x + self.near => Ok(k),
            _ => Err(k),
        }
    }
}

fn ln_pdf(z: f64) -> f64 {
    -0.5 * (z * z + normal::LN_2PI)
}

impl MarginalMap for AtomicMap {
    fn encode(&self, x: f64) -> Image {
        self.spread(x, 0.5)
    }

    fn spread(&self, x: f64, position: f64) -> Image {
        let k = match self.find(x) {
            Ok(k) => return self.image_of_atom(k, position),
            Err(k) => k,
        };
        let value = self.between(k, x).place();
        let Some(others) = &self.parts.others else {
            // A value that never occurs.
            return Image { value, ln_slope: f64::NEG_INFINITY };
        };
        let inner = others.encode(x);
        let ln_slope = self.rest.ln() + ln_pdf(inner.value) - ln_pdf(value) + inner.ln_slope;
        Image { value, ln_slope }
    }

    fn decode(&self, z: f64) -> Image {
        // The first atom that does not end before `z`.
        let k = self.ends.partition_point(|[_, high]| *high < z);
        let atoms = &self.parts.atoms;
        if let Some([low, _]) = self.ends.get(k)
            && *low <= z
        {
            return Image { value: atoms[k].value, ln_slope: ln_pdf(z) - atoms[k].mass.ln() };
        }
        let Some(others) = &self.parts.others else {
            // Rounding alone leaves a gap between two atoms.
            let k = k.min(atoms.len() - 1);
            return Image { value: atoms[k].value, ln_slope: ln_pdf(z) - atoms[k].mass.ln() };
        };
        let [below, above] = self.masses(k);
        let [low, high] =
            [(z, below), (-z, above)].map(|(z, mass)| (normal::ln_cdf(z).exp() - mass) / self.rest);
        // Without atoms on its side, a tail is exact on the logarithmic scale.
        let ln = |share: f64, z: f64, mass: f64| {
            if mass > 0.0 { share.max(1e-300).ln() } else { normal::ln_cdf(z) - self.rest.ln() }
        };
        let inner = if low <= high {
            normal::inverse_ln_cdf(ln(low, z, below))
        } else {
            -normal::inverse_ln_cdf(ln(high, -z, above))
        };
        let image = others.decode(inner);
        // Rounding must not carry a value across an atom.
        let floor = k.checked_sub(1).map_or(f64::NEG_INFINITY, |k| atoms[k].value);
        let ceiling = atoms.get(k).map_or(f64::INFINITY, |atom| atom.value);
        let ln_slope = ln_pdf(z) - self.rest.ln() - ln_pdf(inner) + image.ln_slope;
        Image { value: image.value.clamp(floor, ceiling), ln_slope }
    }
}

impl TryFrom<Parts> for AtomicMap {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        Self::new(parts.atoms, parts.others)
    }
}

impl From<AtomicMap> for Parts {
    fn from(map: AtomicMap) -> Self {
        map.parts
    }
}
