//! Settings that all searches for a proposal share.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::method::final_stage::FinalStage;
use crate::mixture::fit::{Components, MixtureFit};
use crate::search::level_size::LevelSize;
use crate::settings::{Builder, Settings, checked_serde};

/// What cross-entropy, improved cross-entropy, sequential importance sampling and the adaptive estimator have in
/// common: levels, the fit of the proposal, exploration, and the draws that follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SearchSettings {
    pub(crate) samples_per_level: LevelSize,
    pub(crate) max_levels: usize,
    pub(crate) pooled: bool,
    pub(crate) refinements: usize,
    pub(crate) explore: f64,
    pub(crate) fit: MixtureFit,
    pub(crate) final_stage: FinalStage,
}

checked_serde!(SearchSettings);

impl SearchSettings {
    /// Pooled fits with as many components as they need, exploration and a defended proposal.
    pub(crate) fn new(samples_per_level: LevelSize) -> Self {
        Self {
            samples_per_level,
            max_levels: 50,
            pooled: true,
            refinements: 1,
            explore: 0.05,
            fit: MixtureFit::default(),
            final_stage: FinalStage::default(),
        }
    }

    /// The methods as published: each level on its own draws, two components, as many final draws as a
    /// level has, no defence.
    pub(crate) fn paper(samples_per_level: usize) -> Self {
        Self {
            samples_per_level: LevelSize::Fixed(samples_per_level),
            max_levels: 50,
            pooled: false,
            refinements: 0,
            explore: 0.0,
            fit: MixtureFit::default().with_components(Components::Fixed(2)),
            final_stage: FinalStage::paper(samples_per_level as u64),
        }
    }

    /// Draws per level in `dim` coordinates: a third of the budget where a first level of the number asked
    /// for, which explores with up to half as many draws on top, would take more than two thirds of it.
    pub fn samples_per_level(&self, dim: usize) -> usize {
        let n = self.samples_per_level.at(dim);
        match self.final_stage.budget() {
            Some(budget) if self.exceeds_search_share(n as u64 + n as u64 / 2) => {
                (budget / 3).max(1) as usize
            }
            _ => n,
        }
    }

    /// Largest number of levels before the search gives up.
    pub fn max_levels(&self) -> usize {
        self.max_levels
    }

    /// Whether fits use the points of all levels or those of the last one alone.
    pub fn pooled(&self) -> bool {
        self.pooled
    }

    /// Further levels after the search reached the failure event.
    pub fn refinements(&self) -> usize {
        self.refinements
    }

    /// Share of the wide exploring distribution in every proposal.
    pub fn explore(&self) -> f64 {
        self.explore
    }

    /// How mixtures are fitted.
    pub fn fit(&self) -> &MixtureFit {
        &self.fit
    }

    /// The draws that follow the search.
    pub fn final_stage(&self) -> &FinalStage {
        &self.final_stage
    }

    /// Whether `spent` evaluations would leave less than a third of the budget to the final draws.
    pub(crate) fn exceeds_search_share(&self, spent: u64) -> bool {
        spent > self.search_share()
    }

    /// Evaluations that a search may spend: two thirds of the budget.
    pub(crate) fn search_share(&self) -> u64 {
        self.final_stage
            .budget()
            .map_or(u64::MAX, |budget| (2 * (budget / 3)) + 2 * (budget % 3) / 3)
    }
}

impl Settings for SearchSettings {
    fn check(&self) -> Result<(), Error> {
        let n = self.samples_per_level.least();
        Error::check(n >= 10, "samples_per_level", "at least 10", n)?;
        let share = self.explore;
        Error::check((0.0..1.0).contains(&share), "explore", "in [0, 1)", share)?;
        Error::check(self.max_levels >= 1, "max_levels", "at least 1", self.max_levels)?;
        self.fit.check()?;
        self.final_stage.check()
    }
}

/// An estimator with [`SearchSettings`]; its builder has their setters.
pub trait Searches {
    /// The shared settings.
    fn search_settings(&self) -> &SearchSettings;

    /// The shared settings, to be changed by a builder.
    fn search_settings_mut(&mut self) -> &mut SearchSettings;
}

impl<T: Searches> Builder<T> {
    /// Draws per level.
    pub fn samples_per_level(mut self, n: usize) -> Self {
        self.settings.search_settings_mut().samples_per_level = LevelSize::Fixed(n);
        self
    }

    /// Largest number of levels before the search gives up.
    pub fn max_levels(mut self, levels: usize) -> Self {
        self.settings.search_settings_mut().max_levels = levels;
        self
    }

    /// Whether fits use the points of all levels or those of the last one alone.
    pub fn pooled(mut self, pooled: bool) -> Self {
        self.settings.search_settings_mut().pooled = pooled;
        self
    }

    /// Further levels after the search reached the failure event.
    pub fn refinements(mut self, levels: usize) -> Self {
        self.settings.search_settings_mut().refinements = levels;
        self
    }

    /// Share of a wide Gaussian around the nominal distribution in every proposal, the final one included;
    /// a part of the first level comes from it too. Zero turns exploration off.
    pub fn explore(mut self, share: f64) -> Self {
        self.settings.search_settings_mut().explore = share;
        self
    }

    /// Number of components of a fit.
    pub fn components(mut self, components: Components) -> Self {
        let settings = self.settings.search_settings_mut();
        settings.fit = settings.fit.with_components(components);
        self
    }

    /// The draws that follow the search.
    pub fn final_stage(mut self, stage: FinalStage) -> Self {
        self.settings.search_settings_mut().final_stage = stage;
        self
    }
}
