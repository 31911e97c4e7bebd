//! Inputs made in code.

use std::collections::BTreeSet;

use crate::{
    copula::Copula,
    correlation::{Correlation, Pair},
    distribution::Distribution,
    error::InputsError,
    input::{Input, check_names},
    set::{Inputs, Source},
};

/// Collects inputs and correlations; every check of their names is in [`build`](Self::build).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct InputsBuilder {
    inputs: Vec<Input>,
    correlations: Vec<(String, String, Correlation)>,
}

impl Inputs {
    /// Begins a set of inputs.
    pub fn builder() -> InputsBuilder {
        InputsBuilder::default()
    }
}

impl InputsBuilder {
    /// Adds an input after those before it.
    pub fn input(
        mut self,
        name: impl Into<String>,
        unit: impl Into<String>,
        distribution: impl Into<Distribution>,
    ) -> Self {
        let (name, unit) = (name.into(), unit.into());
        self.inputs.push(Input { name, unit, distribution: Some(distribution.into()) });
        self
    }

    /// Gives two inputs a correlation. Pairs that are not given have independent normal scores.
    pub fn correlation(
        mut self,
        first: impl Into<String>,
        second: impl Into<String>,
        correlation: Correlation,
    ) -> Self {
        self.correlations.push((first.into(), second.into(), correlation));
        self
    }

    /// The inputs.
    ///
    /// # Errors
    /// [`InputsError`] when a name is empty or repeated, a correlation names an unknown or constant input,
    /// an input with itself or a pair for the second time, does not lie in (-1, 1), cannot be reached
    /// by the two distributions, or is not positive definite together with those before it.
    pub fn build(self) -> Result<Inputs, InputsError> {
        check_names(&self.inputs)?;
        let coordinates: Vec<usize> =
            (0..self.inputs.len()).filter(|i| !self.inputs[*i].is_constant()).collect();
        let pairs = self.pairs()?;
        let copula = if pairs.is_empty() {
            None
        } else {
            let latent = |place: usize| coordinates.binary_search(&place).ok();
            Some(Copula::new(&self.inputs, latent, &pairs)?)
        };
        let source = Source::Distributions { coordinates, pairs, copula };
        Ok(Inputs { inputs: self.inputs, source })
    }

    /// The correlations by the places of their inputs.
    fn pairs(&self) -> Result<Vec<Pair>, InputsError> {
        let place = |name: &String| {
            let place = self.inputs.iter().position(|input| input.name == *name);
            place.ok_or_else(|| InputsError::UnknownName {
                name: name.clone(),
                names: self.inputs.iter().map(|input| input.name.clone()).collect(),
            })
        };
        let mut seen = BTreeSet::new();
        let mut pairs = Vec::with_capacity(self.correlations.len());
        for (first, second, correlation) in &self.correlations {
            let rho = correlation.value();
            let names = || (first.clone(), second.clone());
            let (i, j) = (place(first)?, place(second)?);
            if let Some(constant) = [i, j].into_iter().find(|i| self.inputs[*i].is_constant()) {
                let name = self.inputs[constant].name.clone();
                return Err(InputsError::CorrelatedConstant { name });
            }
            if i == j {
                return Err(InputsError::WithItself(first.clone()));
            }
            if rho.is_nan() || rho.abs() >= 1.0 {
                let (first, second) = names();
                return Err(InputsError::Correlation { first, second, rho });
            }
            if !seen.insert((i.min(j), i.max(j))) {
                let (first, second) = names();
                return Err(InputsError::RepeatedPair { first, second });
            }
            pairs.push(Pair { first: i, second: j, correlation: *correlation });
        }
        Ok(pairs)
    }
}
