//! The rows of the evaluation.

use std::fmt;

use latent_is::{Adaptive, CrossEntropy, Error, FinalStage, ImprovedCrossEntropy, Sequential};
use serde::{Deserialize, Serialize};

/// Where the search takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Space {
    /// The flow's latent space, where the nominal density is standard normal.
    Latent,
    /// Target space, where the nominal density is the flow's.
    Target,
}

/// The search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Cross-entropy with Gaussian mixtures.
    Ce,
    /// Sequential importance sampling with Gaussian-mixture moves.
    Sis,
    /// Improved cross-entropy: a smooth indicator instead of thresholds.
    Ice,
    /// The recommended pipeline: a look around, design points, levels that pay.
    Adaptive,
}

/// The settings of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The published settings.
    Paper,
    /// Ours.
    Default,
}

/// The event whose probability is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The ellipsoids around the encoded failures, in latent space. *Not* the failure event.
    Surrogate,
    /// The failure event: the ellipsoids in target space.
    True,
}

/// What one row of the table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowKey {
    /// Where the search takes place.
    pub space: Space,
    /// The search.
    pub method: Method,
    /// Its settings.
    pub preset: Preset,
    /// The event.
    pub event: Event,
}

impl RowKey {
    /// All rows, in the order of the table.
    pub fn all() -> Vec<Self> {
        let mut rows = Vec::new();
        // The recommended pipeline starts from design points of standard normal space.
        let recommended = (Space::Latent, Method::Adaptive, Preset::Default);
        for (space, events) in [
            (Space::Latent, &[Event::Surrogate, Event::True][..]),
            (Space::Target, &[Event::True][..]),
        ] {
            for method in [Method::Ce, Method::Sis] {
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

    /// The estimator of this row; the default preset keeps to `budget` evaluations in all.
    pub(crate) fn estimator(self, budget: u64) -> Result<Box<dyn latent_is::SearchMethod>, Error> {
        match (self.method, self.preset) {
            (Method::Ce, Preset::Paper) => Ok(Box::new(CrossEntropy::paper())),
            (Method::Sis, Preset::Paper) => Ok(Box::new(Sequential::paper())),
            (method, _) => method.with(FinalStage::builder().budget(Some(budget)).build()?),
        }
    }
}

impl Method {
    /// The search with its default settings and these final draws.
    pub(crate) fn with(self, last: FinalStage) -> Result<Box<dyn latent_is::SearchMethod>, Error> {
        Ok(match self {
            Self::Ce => Box::new(CrossEntropy::builder().final_stage(last).build()?),
            Self::Sis => Box::new(Sequential::builder().final_stage(last).build()?),
            Self::Ice => Box::new(ImprovedCrossEntropy::builder().final_stage(last).build()?),
            Self::Adaptive => Box::new(adaptive(last)?),
        })
    }
}

/// The recommended pipeline with these final draws.
fn adaptive(last: FinalStage) -> Result<Adaptive, Error> {
    Adaptive::builder().final_stage(last).build()
}

/// The settings of every search of the table, by name; the default ones keep to `budget`.
pub(crate) fn searches(budget: u64) -> anyhow::Result<Vec<(String, serde_json::Value)>> {
    let last = FinalStage::builder().budget(Some(budget)).build()?;
    let ce = CrossEntropy::builder().final_stage(last).build()?;
    let sis = Sequential::builder().final_stage(last).build()?;
    Ok(vec![
        ("CE paper".to_owned(), serde_json::to_value(CrossEntropy::paper())?),
        ("CE default".to_owned(), serde_json::to_value(ce)?),
        ("SIS paper".to_owned(), serde_json::to_value(Sequential::paper())?),
        ("SIS default".to_owned(), serde_json::to_value(sis)?),
        ("adaptive".to_owned(), serde_json::to_value(adaptive(last)?)?),
    ])
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latent => "latent",
            Self::Target => "target",
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ce => "CE",
            Self::Sis => "SIS",
            Self::Ice => "iCE",
            Self::Adaptive => "adaptive",
        })
    }
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
