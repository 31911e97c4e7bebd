//! Other distributions for some inputs.

use crate::{
    builder::InputsBuilder,
    error::InputsError,
    set::{Inputs, Source},
    text::NO_UNIT,
};

impl Inputs {
    /// The same inputs with the distributions of `changes` for those that it names, and its correlations as well.
    /// An input of `changes` has the unit of the one that it replaces, or none.
    ///
    /// ```
    /// use inputs::{Inputs, Normal};
    ///
    /// let given = Inputs::builder()
    ///     .input("speed", "m/s", Normal::new(25.0, 2.0)?)
    ///     .input("height", "m", Normal::new(100.0, 10.0)?)
    ///     .build()?;
    /// let lower = Inputs::builder().input("height", "m", Normal::new(80.0, 10.0)?).build()?;
    /// assert_eq!(given.changed_by(&lower)?.mean().as_slice(), [25.0, 80.0]);
    /// # Ok::<(), inputs::InputsError>(())
    /// ```
    ///
    /// # Errors
    /// [`InputsError::NotAnInput`] for a name that is not there, [`InputsError::OtherUnit`] for another unit,
    /// [`InputsError::GivenByMap`] when one of both has inputs that a map gives together, and as
    /// [`InputsBuilder::build`] for the correlations.
    pub fn changed_by(&self, changes: &Self) -> Result<Self, InputsError> {
        for change in changes {
            let Some(input) = self.iter().find(|input| input.name == change.name) else {
                let names = self.names().map(str::to_owned).collect();
                return Err(InputsError::NotAnInput { name: change.name.clone(), names });
            };
            if change.unit != NO_UNIT && change.unit != input.unit {
                return Err(InputsError::OtherUnit {
                    name: change.name.clone(),
                    unit: input.unit.clone(),
                    given: change.unit.clone(),
                });
            }
        }
        let mut builder = InputsBuilder::default();
        for input in self {
            let change = changes.iter().find(|change| change.name == input.name);
            let distribution = change.unwrap_or(input).distribution.clone();
            let distribution = distribution.ok_or(InputsError::GivenByMap)?;
            builder = builder.input(&input.name, &input.unit, distribution);
        }
        for set in [self, changes] {
            let Source::Distributions { pairs, .. } = &set.source else {
                return Err(InputsError::GivenByMap);
            };
            for pair in pairs {
                let [first, second] = [pair.first, pair.second].map(|i| &set.inputs[i].name);
                builder = builder.correlation(first, second, pair.correlation);
            }
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constant, Correlation, Normal};

    fn normal(mean: f64) -> Normal {
        Normal::new(mean, 1.0).unwrap()
    }

    #[test]
    fn named_inputs_change_and_the_others_stay() {
        let given = Inputs::builder()
            .input("a", "m", normal(1.0))
            .input("b", "s", normal(2.0))
            .input("c", "1", normal(3.0))
            .build()
            .unwrap();
        let changes = Inputs::builder()
            .input("c", "1", normal(30.0))
            .input("b", "1", normal(20.0))
            .correlation("c", "b", Correlation::OfScores(0.5))
            .build()
            .unwrap();
        let changed = given.changed_by(&changes).unwrap();
        assert_eq!(changed.mean().as_slice(), [1.0, 20.0, 30.0]);
        assert_eq!(changed.units().collect::<Vec<_>>(), ["m", "s", "1"]);
        assert_eq!(changed.score_correlation(1, 2), Some(0.5));
        let fixed = Inputs::builder().input("a", "m", Constant::new(7.0).unwrap()).build().unwrap();
        assert_eq!(given.changed_by(&fixed).unwrap().latent_dim(), 2);

        let change = |name: &str, unit: &str| {
            let changes = Inputs::builder().input(name, unit, normal(0.0)).build().unwrap();
            given.changed_by(&changes).unwrap_err().to_string()
        };
        assert!(change("d", "1").contains("no input `d`; the inputs are a, b, c"));
        assert!(change("a", "ft").contains("`a` is in m, not in ft"));
    }
}
