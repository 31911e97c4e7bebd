//! What the rows of the table are about.

use std::fmt;

use latent_is::{Adaptive, CrossEntropy, Error, FinalStage, SearchMethod, Sequential};
use serde::{Deserialize, Serialize};

use crate::estimation::method::{MethodKind, Space};

/// The settings of an estimator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The published settings.
    Paper,
    /// The default settings of this library.
    Default,
}

/// The event whose probability is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The union of the ellipsoids around the encoded failures, in latent space. This is *not* the
    /// failure event.
    Surrogate,
    /// The failure event: the union of the ellipsoids in target space.
    True,
}

/// What one row of the table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowKey {
    /// The space in which the estimator works.
    pub space: Space,
    /// The estimator.
    pub method: MethodKind,
    /// Its settings.
    pub preset: Preset,
    /// The event.
    pub event: Event,
}

impl RowKey {
    /// All rows, in the order of the table.
    pub fn all() -> Vec<Self> {
        let mut rows = Vec::new();
        // The recommended estimator starts from design points of standard normal space.
        let recommended = (Space::Latent, MethodKind::Adaptive, Preset::Default);
        for (space, events) in [
            (Space::Latent, &[Event::Surrogate, Event::True][..]),
            (Space::Target, &[Event::True][..]),
        ] {
            for method in [MethodKind::Ce, MethodKind::Sis] {
                for preset in [Preset::Paper, Preset::Default] {
                    rows.extend(events.iter().map(|&event| Self { space, method, preset, event }));
                }
            }
            if space == recommended.0 {
                let (space, method, preset) = recommended;
                rows.extend(events.iter().map(|&event| Self { space, method, preset, event }));
            }
        }
        rows
    }

    /// The estimator of this row; the default preset makes at most `budget` evaluations.
    pub(crate) fn estimator(self, budget: u64) -> Result<Box<dyn SearchMethod>, Error> {
        match (self.method, self.preset) {
            (MethodKind::Ce, Preset::Paper) => Ok(Box::new(CrossEntropy::paper())),
            (MethodKind::Sis, Preset::Paper) => Ok(Box::new(Sequential::paper())),
            (method, _) => method.with(FinalStage::builder().budget(Some(budget)).build()?),
        }
    }
}

/// Names and settings of all estimators of the table; the default preset makes at most `budget`
/// evaluations.
pub(crate) fn all_settings(budget: u64) -> anyhow::Result<Vec<(String, serde_json::Value)>> {
    let last = FinalStage::builder().budget(Some(budget)).build()?;
    let ce = CrossEntropy::builder().final_stage(last).build()?;
    let adaptive = Adaptive::builder().final_stage(last).build()?;
    let sis = Sequential::builder().final_stage(last).build()?;
    Ok(vec![
        ("CE paper".to_owned(), serde_json::to_value(CrossEntropy::paper())?),
        ("CE default".to_owned(), serde_json::to_value(ce)?),
        ("SIS paper".to_owned(), serde_json::to_value(Sequential::paper())?),
        ("SIS default".to_owned(), serde_json::to_value(sis)?),
        ("adaptive".to_owned(), serde_json::to_value(adaptive)?),
    ])
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paper => "paper",
            Self::Default => "default",
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Surrogate => "surrogate",
            Self::True => "true",
        })
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { space, method, preset, event } = self;
        write!(f, "{space}-{method} {preset} {event}")
    }
}
