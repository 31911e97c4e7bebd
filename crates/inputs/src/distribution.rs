//! The distributions that an input may have.

use serde::{Deserialize, Deserializer, Serialize};

use crate::univariate::{
    Univariate, beta::Beta, constant::Constant, discrete::Discrete, exponential::Exponential,
    gamma::Gamma, gumbel::Gumbel, log_normal::LogNormal, normal::Normal, student_t::StudentT,
    table::Table, triangular::Triangular, truncated_normal::TruncatedNormal, uniform::Uniform,
    weibull::Weibull,
};

/// The distribution of one input: one of the types that implement [`Univariate`].
///
/// In text it is a table with the name of the distribution, for example
/// `{ normal = { mean = 0.0, sd = 2.0 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Distribution {
    /// Normal.
    Normal(Normal),
    /// Log-normal.
    LogNormal(LogNormal),
    /// Uniform.
    Uniform(Uniform),
    /// Triangular.
    Triangular(Triangular),
    /// Exponential.
    Exponential(Exponential),
    /// Weibull.
    Weibull(Weibull),
    /// Gumbel (of maxima).
    Gumbel(Gumbel),
    /// Gamma.
    Gamma(Gamma),
    /// Beta.
    Beta(Beta),
    /// Student's t.
    StudentT(StudentT),
    /// Truncated normal.
    TruncatedNormal(TruncatedNormal),
    /// A constant.
    Constant(Constant),
    /// An empirical distribution.
    Table(Table),
    /// A choice between values.
    Discrete(Discrete),
}

impl Distribution {
    /// The names of all distributions in text.
    pub const NAMES: [&'static str; 14] = [
        "normal",
        "log_normal",
        "uniform",
        "triangular",
        "exponential",
        "weibull",
        "gumbel",
        "gamma",
        "beta",
        "student_t",
        "truncated_normal",
        "constant",
        "table",
        "discrete",
    ];

    /// The distribution that is held.
    pub fn as_univariate(&self) -> &dyn Univariate {
        match self {
            Self::Normal(d) => d,
            Self::LogNormal(d) => d,
            Self::Uniform(d) => d,
            Self::Triangular(d) => d,
            Self::Exponential(d) => d,
            Self::Weibull(d) => d,
            Self::Gumbel(d) => d,
            Self::Gamma(d) => d,
            Self::Beta(d) => d,
            Self::StudentT(d) => d,
            Self::TruncatedNormal(d) => d,
            Self::Constant(d) => d,
            Self::Table(d) => d,
            Self::Discrete(d) => d,
        }
    }

    /// Reads the parameters of the distribution named `kind`; `None` when there is none of this name.
    pub(crate) fn deserialize_kind<'de, D: Deserializer<'de>>(
        kind: &str,
        deserializer: D,
    ) -> Option<Result<Self, D::Error>> {
        Some(match kind {
            "normal" => Normal::deserialize(deserializer).map(Self::Normal),
            "log_normal" => LogNormal::deserialize(deserializer).map(Self::LogNormal),
            "uniform" => Uniform::deserialize(deserializer).map(Self::Uniform),
            "triangular" => Triangular::deserialize(deserializer).map(Self::Triangular),
            "exponential" => Exponential::deserialize(deserializer).map(Self::Exponential),
            "weibull" => Weibull::deserialize(deserializer).map(Self::Weibull),
            "gumbel" => Gumbel::deserialize(deserializer).map(Self::Gumbel),
            "gamma" => Gamma::deserialize(deserializer).map(Self::Gamma),
            "beta" => Beta::deserialize(deserializer).map(Self::Beta),
            "student_t" => StudentT::deserialize(deserializer).map(Self::StudentT),
            "truncated_normal" => {
                TruncatedNormal::deserialize(deserializer).map(Self::TruncatedNormal)
            }
            "constant" => Constant::deserialize(deserializer).map(Self::Constant),
            "table" => Table::deserialize(deserializer).map(Self::Table),
            "discrete" => Discrete::deserialize(deserializer).map(Self::Discrete),
            _ => return None,
        })
    }

    /// Whether it is a constant, which takes no latent coordinate.
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }
}

impl Univariate for Distribution {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        self.as_univariate().lower_quantile(ln_p)
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        self.as_univariate().upper_quantile(ln_q)
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        self.as_univariate().ln_cdf(w)
    }

    fn ln_sf(&self, w: f64) -> f64 {
        self.as_univariate().ln_sf(w)
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        self.as_univariate().ln_pdf(w)
    }

    fn mean(&self) -> f64 {
        self.as_univariate().mean()
    }

    fn sd(&self) -> f64 {
        self.as_univariate().sd()
    }

    fn at_normal(&self, u: f64) -> f64 {
        self.as_univariate().at_normal(u)
    }

    fn to_normal(&self, w: f64) -> f64 {
        self.as_univariate().to_normal(w)
    }
}

/// Each type of distribution is a [`Distribution`].
macro_rules! from {
    ($($kind:ident),+) => {
        $(impl From<$kind> for Distribution {
            fn from(d: $kind) -> Self {
                Self::$kind(d)
            }
        })+
    };
}

from!(
    Normal,
    LogNormal,
    Uniform,
    Triangular,
    Exponential,
    Weibull,
    Gumbel,
    Gamma,
    Beta,
    StudentT,
    TruncatedNormal,
    Constant,
    Table,
    Discrete
);
