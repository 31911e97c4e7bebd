//! Which map a feature gets.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::FlowError;

/// Which map a feature gets. In files and on the command line it is a text, as [`FromStr`] reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum MarginalChoice {
    /// `auto`: by the rule of [`Marginal::choose`](crate::marginals::Marginal::choose).
    Auto,
    /// `affine`: mean and standard deviation alone.
    #[default]
    Affine,
    /// `quantile`: quantiles in the middle, generalised Pareto tails beyond. Frequent values are kept as atoms.
    Quantile,
    /// `bounded:LOW:HIGH`: as `quantile`, with no value beyond the two ends. One may be `-inf` or `inf`;
    /// `positive` is `bounded:0:inf`.
    Bounded {
        /// The smallest possible value.
        low: f64,
        /// The largest possible value.
        high: f64,
    },
    /// `periodic:PERIOD`: values that differ by the period are one, for example `periodic:360`.
    Periodic {
        /// The period.
        period: f64,
    },
    /// `integer`: whole numbers.
    Integer,
}

impl FromStr for MarginalChoice {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        let refused = || {
            let condition = "auto, affine, quantile, positive, integer, bounded:LOW:HIGH with LOW below HIGH, \
                             or periodic:PERIOD with a positive period";
            FlowError::setting("marginal", condition, text)
        };
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| refused());
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        match (name.trim(), rest) {
            ("auto", "") => Ok(Self::Auto),
            ("affine", "") => Ok(Self::Affine),
            ("quantile", "") => Ok(Self::Quantile),
            ("integer", "") => Ok(Self::Integer),
            ("positive", "") => Ok(Self::Bounded { low: 0.0, high: f64::INFINITY }),
            ("bounded", rest) => {
                let (low, high) = rest.split_once(':').ok_or_else(refused)?;
                let (low, high) = (number(low)?, number(high)?);
                let valid = low < high && (low.is_finite() || high.is_finite());
                valid.then_some(Self::Bounded { low, high }).ok_or_else(refused)
            }
            ("periodic", rest) => {
                let period = number(rest)?;
                let valid = period > 0.0 && period.is_finite();
                valid.then_some(Self::Periodic { period }).ok_or_else(refused)
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for MarginalChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Affine => f.write_str("affine"),
            Self::Quantile => f.write_str("quantile"),
            Self::Integer => f.write_str("integer"),
            Self::Bounded { low, high } => write!(f, "bounded:{low}:{high}"),
            Self::Periodic { period } => write!(f, "periodic:{period}"),
        }
    }
}

impl TryFrom<String> for MarginalChoice {
    type Error = FlowError;

    fn try_from(text: String) -> Result<Self, FlowError> {
        text.parse()
    }
}

impl From<MarginalChoice> for String {
    fn from(choice: MarginalChoice) -> Self {
        choice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_its_text() {
        for text in [
            "auto",
            "affine",
            "quantile",
            "integer",
            "bounded:0:1.5",
            "bounded:-inf:2",
            "periodic:360",
        ] {
            assert_eq!(text.parse::<MarginalChoice>().unwrap().to_string(), text);
        }
        let positive = MarginalChoice::Bounded { low: 0.0, high: f64::INFINITY };
        assert_eq!("positive".parse::<MarginalChoice>().unwrap(), positive);
        for text in
            ["", "gauss", "bounded:1:0", "bounded:1", "bounded:-inf:inf", "periodic:-1", "auto:1"]
        {
            let error = text.parse::<MarginalChoice>().unwrap_err().to_string();
            assert!(error.starts_with("marginal must be auto, affine,"), "{error}");
        }
    }
}
