//! Inputs in text, for example TOML.
//!
//! ```toml
//! wind = { normal = { mean = 0.0, sd = 2.0 }, unit = "m/s" }
//! gap = { uniform = { from = 0.0, to = 3.0 } }
//!
//! [correlation]
//! wind_gap = ["wind", "gap", 0.3]
//! ```

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, MapAccess, Visitor},
    ser::{self, SerializeMap},
};

use crate::{
    correlation::{Correlation, Pair},
    distribution::Distribution,
    set::{Inputs, Source},
};

/// The key of the correlations; no input can have this name in text.
const CORRELATION: &str = "correlation";
const UNIT: &str = "unit";
/// The unit of an input without one.
pub(crate) const NO_UNIT: &str = "1";

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InputsVisitor)
    }
}

struct InputsVisitor;

impl<'de> Visitor<'de> for InputsVisitor {
    type Value = Inputs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of inputs by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Inputs, A::Error> {
        let mut builder = Inputs::builder();
        while let Some(name) = map.next_key::<String>()? {
            if name == CORRELATION {
                for (first, second, correlation) in map.next_value::<Correlations>()?.0 {
                    builder = builder.correlation(first, second, correlation);
                }
            } else {
                let InputText { unit, distribution } = map.next_value_seed(InputSeed(&name))?;
                builder = builder.input(name, unit, distribution);
            }
        }
        builder.build().map_err(de::Error::custom)
    }
}

struct InputText {
    unit: String,
    distribution: Distribution,
}

/// Reads the input with this name.
struct InputSeed<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for InputSeed<'_> {
    type Value = InputText;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<InputText, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for InputSeed<'_> {
    type Value = InputText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a table for the input `{}`, for example {{ normal = {{ mean = 0.0, sd = 1.0 }}, unit = \"m\" }}",
            self.0
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InputText, A::Error> {
        let Self(name) = self;
        let (mut unit, mut distribution) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == UNIT {
                unit = Some(map.next_value()?);
            } else if distribution.is_some() {
                return Err(de::Error::custom(format_args!(
                    "input `{name}`: `{key}` is a second distribution or an unknown key; an input has one distribution and a `{UNIT}`"
                )));
            } else {
                distribution = Some(map.next_value_seed(DistributionSeed { name, kind: &key })?);
            }
        }
        let distribution = distribution.ok_or_else(|| {
            de::Error::custom(format_args!(
                "input `{name}` has no distribution; give one of {}",
                Distribution::NAMES.join(", ")
            ))
        })?;
        Ok(InputText { unit: unit.unwrap_or_else(|| NO_UNIT.to_owned()), distribution })
    }
}

/// Reads the parameters of the distribution `kind` of the input `name`.
struct DistributionSeed<'a> {
    name: &'a str,
    kind: &'a str,
}

impl<'de> DeserializeSeed<'de> for DistributionSeed<'_> {
    type Value = Distribution;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Distribution, D::Error> {
        let Self { name, kind } = self;
        let read = Distribution::deserialize_kind(kind, deserializer);
        read.unwrap_or_else(|| {
            Err(de::Error::custom(format_args!(
                "no distribution is named `{kind}`; there are {}",
                Distribution::NAMES.join(", ")
            )))
        })
        .map_err(|error| de::Error::custom(format_args!("input `{name}`: {error}")))
    }
}

/// Pairs in a table with any keys: two names, the correlation and, for that of the normal scores,
/// `"scores"`.
struct Correlations(Vec<(String, String, Correlation)>);

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a correlation is [\"name\", \"name\", number] or [\"name\", \"name\", number, \"scores\"]"
)]
enum PairText {
    Inputs(String, String, f64),
    Kind(String, String, f64, PairKind),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PairKind {
    Inputs,
    Scores,
}

impl<'de> Deserialize<'de> for Correlations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Correlations;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of correlations, each [\"name\", \"name\", number]")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Correlations, A::Error> {
                let mut pairs = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    let pair: PairText = map.next_value().map_err(|error| {
                        de::Error::custom(format_args!("{CORRELATION} `{key}`: {error}"))
                    })?;
                    pairs.push(match pair {
                        PairText::Inputs(a, b, rho)
                        | PairText::Kind(a, b, rho, PairKind::Inputs) => {
                            (a, b, Correlation::OfInputs(rho))
                        }
                        PairText::Kind(a, b, rho, PairKind::Scores) => {
                            (a, b, Correlation::OfScores(rho))
                        }
                    });
                }
                Ok(Correlations(pairs))
            }
        }

        deserializer.deserialize_map(PairsVisitor)
    }
}

impl Serialize for Inputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Source::Distributions { pairs, .. } = &self.source else {
            return Err(ser::Error::custom("inputs by a map have no text form"));
        };
        let mut map = serializer.serialize_map(None)?;
        for input in &self.inputs {
            if input.name == CORRELATION {
                return Err(ser::Error::custom("an input named `correlation` has no text form"));
            }
            if let Some(distribution) = &input.distribution {
                map.serialize_entry(&input.name, &InputOut { unit: &input.unit, distribution })?;
            }
        }
        if !pairs.is_empty() {
            map.serialize_entry(CORRELATION, &PairsOut { inputs: self, pairs })?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct InputOut<'a> {
    unit: &'a str,
    #[serde(flatten)]
    distribution: &'a Distribution,
}

struct PairsOut<'a> {
    inputs: &'a Inputs,
    pairs: &'a [Pair],
}

impl Serialize for PairsOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.pairs.len()))?;
        for (k, pair) in self.pairs.iter().enumerate() {
            let name = |place: usize| &self.inputs.inputs[place].name;
            let (a, b, rho) = (name(pair.first), name(pair.second), pair.correlation.value());
            let key = format!("pair_{k:03}");
            match pair.correlation {
                Correlation::OfInputs(_) => map.serialize_entry(&key, &(a, b, rho))?,
                Correlation::OfScores(_) => map.serialize_entry(&key, &(a, b, rho, "scores"))?,
            }
        }
        map.end()
    }
}
