//! The Gaussian copula: correlated normal scores.

use nalgebra::{DMatrix, DVector};

use crate::{
    correlation::{Correlation, Pair},
    distribution::Distribution,
    error::InputsError,
    input::Input,
    nataf,
    univariate::Univariate,
};

/// Correlated normal scores $z = L u$ for the inputs that are part of a pair.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Copula {
    /// Their latent coordinates.
    members: Vec<usize>,
    /// The lower Cholesky factor of the correlations of their scores.
    factor: DMatrix<f64>,
}

impl Copula {
    /// The copula of `pairs`; `latent` gives the latent coordinate of an input, or none for a constant.
    pub(crate) fn new(
        inputs: &[Input],
        latent: impl Fn(usize) -> Option<usize>,
        pairs: &[Pair],
    ) -> Result<Self, InputsError> {
        let mut places: Vec<usize> = pairs.iter().flat_map(|p| [p.first, p.second]).collect();
        places.sort_unstable();
        places.dedup();
        let position = |input: usize| places.partition_point(|place| *place < input);
        let mut known: Vec<Option<Vec<f64>>> = vec![None; places.len()];
        let mut matrix = DMatrix::identity(places.len(), places.len());
        for pair in pairs {
            let (i, j) = (position(pair.first), position(pair.second));
            let rho = score_correlation(inputs, *pair, [i, j], &mut known)?;
            (matrix[(i, j)], matrix[(j, i)]) = (rho, rho);
        }
        let members = places.iter().filter_map(|place| latent(*place)).collect();
        match matrix.clone().cholesky() {
            Some(cholesky) => Ok(Self { members, factor: cholesky.unpack() }),
            None => Err(not_positive_definite(inputs, &places, &matrix)),
        }
    }

    /// Replaces `u` by the scores `z`.
    pub(crate) fn correlate(&self, u: &mut [f64]) {
        for (row, member) in self.members.iter().enumerate().rev() {
            // Entries above `row` are already replaced, those up to it are not.
            let sum = (0..=row).map(|j| self.factor[(row, j)] * u[self.members[j]]).sum();
            u[*member] = sum;
        }
    }

    /// Replaces the scores `z` by `u`.
    pub(crate) fn decorrelate(&self, z: &mut [f64]) {
        for (row, member) in self.members.iter().enumerate() {
            let known: f64 = (0..row).map(|j| self.factor[(row, j)] * z[self.members[j]]).sum();
            z[*member] = (z[*member] - known) / self.factor[(row, row)];
        }
    }

    /// The correlation of the scores of two latent coordinates.
    pub(crate) fn score_correlation(&self, first: usize, second: usize) -> f64 {
        let row = |member: usize| self.members.iter().position(|m| *m == member);
        match (row(first), row(second)) {
            _ if first == second => 1.0,
            (Some(i), Some(j)) => {
                let row = |i: usize| {
                    DVector::from_iterator(self.members.len(), self.factor.row(i).iter().copied())
                };
                row(i).dot(&row(j))
            }
            _ => 0.0,
        }
    }
}

fn score_correlation(
    inputs: &[Input],
    pair: Pair,
    members: [usize; 2],
    known: &mut [Option<Vec<f64>>],
) -> Result<f64, InputsError> {
    let names = || (inputs[pair.first].name.clone(), inputs[pair.second].name.clone());
    let rho = match pair.correlation {
        Correlation::OfScores(rho) => return Ok(rho),
        Correlation::OfInputs(rho) => rho,
    };
    let distribution = |place: usize| inputs[place].distribution.as_ref();
    let both = (distribution(pair.first), distribution(pair.second));
    if let (Some(Distribution::Normal(_)), Some(Distribution::Normal(_))) = both {
        return Ok(rho);
    }
    for (place, member) in [pair.first, pair.second].into_iter().zip(members) {
        if let (Some(distribution), None) = (distribution(place), &known[member]) {
            if !distribution.sd().is_finite() {
                return Err(InputsError::NoStandardDeviation { name: inputs[place].name.clone() });
            }
            known[member] = Some(nataf::coefficients(distribution));
        }
    }
    let [a, b] = members.map(|member| known[member].as_deref().unwrap_or_default());
    nataf::of_scores(a, b, rho).map_err(|(least, greatest)| {
        let (first, second) = names();
        InputsError::Unreachable { first, second, rho, least, greatest }
    })
}

/// Names the first pair $(j, k)$ for which the inputs up to $j$ and $k$ contradict each other.
fn not_positive_definite(inputs: &[Input], places: &[usize], matrix: &DMatrix<f64>) -> InputsError {
    let contradict = |j: usize, k: usize| {
        let members: Vec<usize> = (0..=j).chain([k]).collect();
        let part = matrix.select_rows(&members).select_columns(&members);
        part.cholesky().is_none()
    };
    let mut pairs = (1..places.len()).flat_map(|k| (0..k).map(move |j| (j, k)));
    // All inputs together contradict, so there is such a pair unless rounding decides; then the last.
    let (j, k) = pairs.find(|(j, k)| contradict(*j, *k)).unwrap_or((0, places.len() - 1));
    let name = |member: usize| inputs[places[member]].name.clone();
    InputsError::NotPositiveDefinite { first: name(j), second: name(k), rho: matrix[(j, k)] }
}
