//! The maps of all features.

use nalgebra::{DMatrix, DMatrixView, DVector};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    bijection::standardise::Standardise,
    error::FlowError,
    marginals::{
        choice::MarginalChoice,
        map::{Image, MarginalMap},
        marginal::Marginal,
    },
    units::Units,
};

/// The marginal maps of all features, between standardised outcomes and the input of the chain. Affine
/// features pass unchanged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marginals {
    /// One per feature; empty when all are affine.
    each: Vec<Marginal>,
}

impl Marginals {
    /// Chooses the maps of outcomes `x`.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, in the units of the data
    /// - `choices`: `[d]`; `[1]` for all features; `[0]` for affine ones
    ///
    /// # Errors
    /// [`FlowError::Setting`] for another number of choices, and as [`Marginal::choose`].
    pub fn choose(x: DMatrixView<'_, f64>, choices: &[MarginalChoice]) -> Result<Self, FlowError> {
        let d = x.nrows();
        let choice = |i: usize| match choices {
            [] => Ok(MarginalChoice::Affine),
            [same] => Ok(*same),
            _ => choices.get(i).copied().filter(|_| choices.len() == d).ok_or_else(|| {
                let value = format!("a list of {}", choices.len());
                FlowError::setting("marginals", "one choice, or one per feature", value)
            }),
        };
        let each = (0..d)
            .map(|i| {
                let values: Vec<f64> = x.row(i).iter().copied().collect();
                Marginal::choose(&values, choice(i)?).map_err(|error| match error {
                    FlowError::Marginal { reason, .. } => {
                        FlowError::Marginal { feature: i, reason }
                    }
                    other => other,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self::of(each))
    }

    /// These maps, one per feature.
    pub fn of(each: Vec<Marginal>) -> Self {
        let affine = each.iter().all(|marginal| *marginal == Marginal::Affine);
        Self { each: if affine { Vec::new() } else { each } }
    }

    /// The choices that lead to the same kinds of maps from other outcomes of the same distribution: those of
    /// `choices`, with what the rule has chosen in the place of `auto`.
    ///
    /// # Shapes
    /// - `choices`: `[d]`, `[1]` or `[0]`, as for [`choose`](Self::choose)
    pub(crate) fn choices(&self, choices: &[MarginalChoice]) -> Vec<MarginalChoice> {
        let choice = |i: usize| match choices {
            [] => MarginalChoice::Affine,
            [same] => *same,
            each => each.get(i).copied().unwrap_or(MarginalChoice::Auto),
        };
        self.each
            .iter()
            .enumerate()
            .map(|(i, chosen)| match (choice(i), chosen) {
                (MarginalChoice::Auto, Marginal::Affine) => MarginalChoice::Affine,
                (MarginalChoice::Auto, Marginal::Integer(_)) => MarginalChoice::Integer,
                // The rule chooses no periodic maps, and a quantile map keeps atoms.
                (MarginalChoice::Auto, _) => MarginalChoice::Quantile,
                (stated, _) => stated,
            })
            .collect()
    }

    /// The maps, `[d]`; empty when all features are affine.
    pub fn each(&self) -> &[Marginal] {
        &self.each
    }

    /// Whether all features are affine.
    pub fn are_affine(&self) -> bool {
        self.each.is_empty()
    }

    /// Outcomes to the input of the chain, with $\ln|\det|$.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, in `units`; returns `[d, n]` and `[n]`
    pub(crate) fn encode(
        &self,
        x: DMatrixView<'_, f64>,
        units: Units,
        moments: &Standardise,
    ) -> (DMatrix<f64>, DVector<f64>) {
        self.to_normal(x, units, moments, |_, _, value, map| map.encode(value))
    }

    /// As [`encode`](Self::encode), for training: a point mass is spread evenly over its interval. The order in
    /// which the rows with one value are spread depends on `rng` alone.
    pub(crate) fn spread(
        &self,
        x: DMatrixView<'_, f64>,
        moments: &Standardise,
        rng: &mut ChaCha8Rng,
    ) -> (DMatrix<f64>, DVector<f64>) {
        let positions: Vec<Vec<f64>> = self
            .each
            .iter()
            .enumerate()
            .map(|(i, marginal)| match marginal {
                Marginal::Affine => Vec::new(),
                _ => positions(x.row(i).iter().copied(), rng),
            })
            .collect();
        self.to_normal(x, Units::Data, moments, |i, j, value, map| {
            map.spread(value, positions[i][j])
        })
    }

    fn to_normal(
        &self,
        x: DMatrixView<'_, f64>,
        units: Units,
        moments: &Standardise,
        image: impl Fn(usize, usize, f64, &dyn MarginalMap) -> Image,
    ) -> (DMatrix<f64>, DVector<f64>) {
        let mut ln_det = DVector::zeros(x.ncols());
        let mut z = x.into_owned();
        for (i, marginal) in self.each.iter().enumerate() {
            let (mean, sd) = (moments.mean()[i], moments.sd()[i]);
            for (j, value) in z.row_mut(i).iter_mut().enumerate() {
                let found = match (marginal.map(), units) {
                    (None, Units::Standardised) => continue,
                    (None, Units::Data) => {
                        Image { value: (*value - mean) / sd, ln_slope: -sd.ln() }
                    }
                    (Some(map), Units::Data) => image(i, j, *value, map),
                    (Some(map), Units::Standardised) => {
                        let found = image(i, j, *value * sd + mean, map);
                        Image { ln_slope: found.ln_slope + sd.ln(), ..found }
                    }
                };
                *value = found.value;
                ln_det[j] += found.ln_slope;
            }
        }
        (z, ln_det)
    }

    /// The input of the chain to outcomes, in place. Adds $\ln|\det|$ to `ln_det`.
    ///
    /// # Shapes
    /// - `z`: `[d, n]`; outcomes in `units`
    /// - `ln_det`: `[n]`
    pub(crate) fn decode_into(
        &self,
        z: &mut DMatrix<f64>,
        ln_det: &mut DVector<f64>,
        units: Units,
        moments: &Standardise,
    ) {
        for (i, marginal) in self.each.iter().enumerate() {
            let (mean, sd) = (moments.mean()[i], moments.sd()[i]);
            for (j, value) in z.row_mut(i).iter_mut().enumerate() {
                let found = match (marginal.map(), units) {
                    (None, Units::Standardised) => continue,
                    (None, Units::Data) => Image { value: *value * sd + mean, ln_slope: sd.ln() },
                    (Some(map), Units::Data) => map.decode(*value),
                    (Some(map), Units::Standardised) => {
                        let found = map.decode(*value);
                        Image {
                            value: (found.value - mean) / sd,
                            ln_slope: found.ln_slope - sd.ln(),
                        }
                    }
                };
                *value = found.value;
                ln_det[j] += found.ln_slope;
            }
        }
    }
}

/// A place in (0, 1) for each value: the places of equal values are spread evenly, in a random order.
fn positions(values: impl Iterator<Item = f64>, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Shuffled first: the order within equal values is then random.
    order.shuffle(rng);
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut positions = vec![0.0; values.len()];
    for equal in order.chunk_by(|&i, &j| values[i].total_cmp(&values[j]).is_eq()) {
        for (k, &i) in equal.iter().enumerate() {
            positions[i] = (k as f64 + 0.5) / equal.len() as f64;
        }
    }
    positions
}
