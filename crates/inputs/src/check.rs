//! Checks of parameters.

use crate::error::InputsError;

/// Checks the parameters of one distribution, named in the errors.
#[derive(Clone, Copy)]
pub(crate) struct Check(pub(crate) &'static str);

/// The largest shape for which the incomplete gamma and beta functions keep ten digits.
const SHAPES: std::ops::RangeInclusive<f64> = 1e-3..=1e6;

impl Check {
    pub(crate) fn that(
        self,
        ok: bool,
        name: &'static str,
        condition: &'static str,
        value: f64,
    ) -> Result<Self, InputsError> {
        let Self(distribution) = self;
        if ok {
            Ok(self)
        } else {
            Err(InputsError::Parameter { distribution, name, condition, value })
        }
    }

    pub(crate) fn finite(self, name: &'static str, value: f64) -> Result<Self, InputsError> {
        self.that(value.is_finite(), name, "finite", value)
    }

    pub(crate) fn positive(self, name: &'static str, value: f64) -> Result<Self, InputsError> {
        self.that(value.is_finite() && value > 0.0, name, "finite and above 0", value)
    }

    pub(crate) fn shape(self, name: &'static str, value: f64) -> Result<Self, InputsError> {
        self.that(SHAPES.contains(&value), name, "between 0.001 and 1e6", value)
    }

    /// Two bounds in their order, both finite.
    pub(crate) fn range(self, from: f64, to: f64) -> Result<Self, InputsError> {
        self.finite("from", from)?.finite("to", to)?;
        self.that(from < to && (to - from).is_finite(), "to", "above `from`", to)
    }

    /// Values of a table, by their index.
    pub(crate) fn entries(
        self,
        name: &'static str,
        values: &[f64],
        condition: &'static str,
        ok: impl Fn(f64) -> bool,
    ) -> Result<Self, InputsError> {
        let Self(distribution) = self;
        match values.iter().position(|v| !ok(*v)) {
            None => Ok(self),
            Some(index) => {
                let value = values[index];
                Err(InputsError::Entry { distribution, name, index, condition, value })
            }
        }
    }
}
