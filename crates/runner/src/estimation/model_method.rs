//! The choice of the estimator: for a flow, or for a model by the number of its random inputs.

use std::fmt;

use latent_is::{
    Adaptive, Certified, CrossEntropy, Error, Estimator, FinalStage, ImprovedCrossEntropy,
    MonteCarlo, Sequential, SubsetSimulation,
};
use serde::{Deserialize, Serialize};

use crate::estimation::method::MethodKind;

/// Most random inputs for which mixtures are searched for: beyond, their fits are unreliable.
const MIXTURES: usize = 30;

/// Number of random inputs up to which a level of the adaptive method has few samples, and their number: a run
/// of a simulator is expensive, and mixtures in so few coordinates need no more.
const FEW: usize = 4;
const FEW_SAMPLES: usize = 600;

/// Budget from which on the certified estimate is the better method for many inputs: with fewer evaluations its
/// proposals rest on too few states. From there on subset simulation has 2,000 particles per level instead of 1,000:
/// five runs, which check each other, fit into a smaller budget only so.
const LARGE_BUDGET: u64 = 50_000;

/// An estimator, for a flow or for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum MethodChoice {
    /// Cross-entropy method with Gaussian mixtures.
    Ce,
    /// Sequential importance sampling: with Gaussian mixtures, for models with more than 30 inputs with conditional moves.
    Sis,
    /// Improved cross-entropy method: a smooth indicator instead of thresholds.
    Ice,
    /// Recommended up to 30 coordinates: directional pilot, FORM starting points, cross-entropy levels,
    /// importance sampling.
    Adaptive,
    /// For models with up to hundreds of inputs and at least 50,000 evaluations: subset simulation finds the
    /// failures of each region, fresh weighted draws say how likely they are.
    Certified,
    /// For models with hundreds of inputs and fewer evaluations: independent runs of subset simulation with conditional moves.
    Subset,
    /// For models and failures that are not rare: crude Monte Carlo.
    MonteCarlo,
}

impl MethodChoice {
    /// The method for a model with `dim` random inputs and a budget of evaluations.
    pub fn for_inputs(dim: usize, budget: u64) -> Self {
        match (dim <= MIXTURES, budget < LARGE_BUDGET) {
            (true, _) => Self::Adaptive,
            (false, true) => Self::Subset,
            (false, false) => Self::Certified,
        }
    }

    /// The method for a flow.
    ///
    /// # Errors
    /// When it is for models alone.
    pub fn for_flow(self) -> anyhow::Result<MethodKind> {
        Ok(match self {
            Self::Ce => MethodKind::Ce,
            Self::Sis => MethodKind::Sis,
            Self::Ice => MethodKind::Ice,
            Self::Adaptive => MethodKind::Adaptive,
            Self::Certified | Self::Subset | Self::MonteCarlo => {
                anyhow::bail!(
                    "the method {self} is for --model; a flow takes adaptive, ce, sis or ice"
                )
            }
        })
    }

    /// Evaluations after which a run of this method is stopped from outside: subset simulation plans by what its runs
    /// took so far, and a run may take more.
    pub fn hard_stop(self, budget: u64) -> Option<u64> {
        (self == Self::Subset).then_some(budget)
    }

    /// The estimator for a model with `dim` random inputs, to a target of the coefficient of variation
    /// within a budget of evaluations.
    ///
    /// # Errors
    /// When a setting is invalid.
    pub fn estimator(
        self,
        dim: usize,
        target_cov: f64,
        budget: u64,
    ) -> Result<Box<dyn Estimator>, Error> {
        let last =
            FinalStage::builder().target_cov(Some(target_cov)).budget(Some(budget)).build()?;
        Ok(match self {
            Self::Ce => Box::new(CrossEntropy::builder().final_stage(last).build()?),
            Self::Sis => {
                // Mixtures in so many coordinates are unreliable.
                let many = dim > MIXTURES;
                let moves = if many { Sequential::conditional() } else { Sequential::default() };
                Box::new(moves.to_builder().final_stage(last).build()?)
            }
            Self::Ice => Box::new(ImprovedCrossEntropy::builder().final_stage(last).build()?),
            Self::Adaptive => {
                let builder = Adaptive::builder().final_stage(last);
                Box::new(if dim <= FEW {
                    builder.samples_per_level(FEW_SAMPLES).build()?
                } else {
                    builder.build()?
                })
            }
            Self::Certified => {
                Box::new(Certified::builder().target_cov(Some(target_cov)).budget(budget).build()?)
            }
            Self::Subset => Box::new(
                SubsetSimulation::builder()
                    .samples_per_level(if budget < LARGE_BUDGET { 1_000 } else { 2_000 })
                    .target_cov(Some(target_cov))
                    .budget(Some(budget))
                    .build()?,
            ),
            Self::MonteCarlo => Box::new(
                MonteCarlo::builder()
                    .batch(1_000)
                    .budget(budget)
                    .target_cov(Some(target_cov))
                    .build()?,
            ),
        })
    }
}

impl fmt::Display for MethodChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ce => "ce",
            Self::Sis => "sis",
            Self::Ice => "ice",
            Self::Adaptive => "adaptive",
            Self::Certified => "certified",
            Self::Subset => "subset",
            Self::MonteCarlo => "monte-carlo",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_inputs_chooses() {
        assert_eq!([1, 30, 31, 121].map(|dim| MethodChoice::for_inputs(dim, 20_000)), {
            use MethodChoice::{Adaptive, Subset};
            [Adaptive, Adaptive, Subset, Subset]
        });
        assert_eq!(MethodChoice::for_inputs(31, 50_000), MethodChoice::Certified);
        assert!(MethodChoice::Subset.for_flow().unwrap_err().to_string().contains("--model"));
        assert_eq!(MethodChoice::Ice.for_flow().unwrap(), MethodKind::Ice);
    }
}
