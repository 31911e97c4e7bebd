//! The choice of the estimator and of the space it works in.

use std::fmt;

use latent_is::{
    Adaptive, CrossEntropy, Error, FinalStage, ImprovedCrossEntropy, SearchMethod, Sequential,
};
use serde::{Deserialize, Serialize};

/// The space in which an estimator works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Space {
    /// The latent space of the flow, where the nominal density is standard normal.
    Latent,
    /// Target space, where the nominal density is the density of the flow.
    Target,
}

/// The estimator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum MethodKind {
    /// Cross-entropy method with Gaussian mixtures.
    Ce,
    /// Sequential importance sampling with Gaussian mixtures.
    Sis,
    /// Improved cross-entropy method: a smooth indicator instead of thresholds.
    Ice,
    /// Recommended: directional pilot, FORM starting points, cross-entropy levels, importance
    /// sampling.
    Adaptive,
}

impl MethodKind {
    /// The estimator with its default settings and the final stage `last`.
    ///
    /// # Errors
    /// When a setting is invalid.
    pub fn with(self, last: FinalStage) -> Result<Box<dyn SearchMethod>, Error> {
        Ok(match self {
            Self::Ce => Box::new(CrossEntropy::builder().final_stage(last).build()?),
            Self::Sis => Box::new(Sequential::builder().final_stage(last).build()?),
            Self::Ice => Box::new(ImprovedCrossEntropy::builder().final_stage(last).build()?),
            Self::Adaptive => Box::new(Adaptive::builder().final_stage(last).build()?),
        })
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latent => "latent",
            Self::Target => "target",
        })
    }
}

impl fmt::Display for MethodKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ce => "CE",
            Self::Sis => "SIS",
            Self::Ice => "iCE",
            Self::Adaptive => "adaptive",
        })
    }
}
