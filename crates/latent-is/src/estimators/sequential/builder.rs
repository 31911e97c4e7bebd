//! Settings of sequential importance sampling.

use super::{Moves, Sequential};
use crate::error::Error;
use crate::method::final_stage::FinalStage;
use crate::mixture::fit::Components;
use crate::search::level_size::LevelSize;

/// Builds a [`Sequential`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SequentialBuilder {
    method: Sequential,
}

impl SequentialBuilder {
    /// Starts from `method`.
    pub(super) fn new(method: Sequential) -> Self {
        Self { method }
    }

    /// What the candidates of the chains come from.
    pub fn moves(mut self, moves: Moves) -> Self {
        self.method.moves = moves;
        self
    }

    /// Particles of each level.
    pub fn samples_per_level(mut self, n: usize) -> Self {
        self.method.samples_per_level = LevelSize::Fixed(n);
        self
    }

    /// Share of the particles that are resampled as seeds of chains.
    pub fn seed_share(mut self, share: f64) -> Self {
        self.method.seed_share = share;
        self
    }

    /// Steps of each chain that are thrown away (and evaluated).
    pub fn burn_in(mut self, steps: usize) -> Self {
        self.method.burn_in = steps;
        self
    }

    /// Coefficient of variation $\delta$ of the weights between levels.
    pub fn weight_cov(mut self, delta: f64) -> Self {
        self.method.weight_cov = delta;
        self
    }

    /// Most levels before the search gives up.
    pub fn max_levels(mut self, levels: usize) -> Self {
        self.method.max_levels = levels;
        self
    }

    /// Whether fits use every evaluated point or the particles of the last level alone.
    pub fn pooled(mut self, pooled: bool) -> Self {
        self.method.pooled = pooled;
        self
    }

    /// Further draws from the final proposal, with a fit after each, when fits are pooled.
    pub fn refinements(mut self, levels: usize) -> Self {
        self.method.refinements = levels;
        self
    }

    /// Share of a wide Gaussian around the nominal law in every proposal, the final one included; the
    /// first level evaluates half as many points from it as it has particles. Zero turns exploration
    /// off.
    pub fn explore(mut self, share: f64) -> Self {
        self.method.explore = share;
        self
    }

    /// How many components a fit has.
    pub fn components(mut self, components: Components) -> Self {
        self.method.fit = self.method.fit.with_components(components);
        self
    }

    /// The draws that follow the search.
    pub fn final_stage(mut self, stage: FinalStage) -> Self {
        self.method.final_stage = stage;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range.
    pub fn build(self) -> Result<Sequential, Error> {
        let m = self.method;
        let n = m.samples_per_level.least();
        Error::check(n >= 10, "samples_per_level", "at least 10", n)?;
        let share = m.seed_share;
        Error::check(share > 0.0 && share <= 1.0, "seed_share", "in (0, 1]", share)?;
        let delta = m.weight_cov;
        Error::check(delta > 0.0 && delta.is_finite(), "weight_cov", "positive", delta)?;
        let explore = m.explore;
        Error::check((0.0..1.0).contains(&explore), "explore", "in [0, 1)", explore)?;
        Error::check(m.max_levels >= 1, "max_levels", "at least 1", m.max_levels)?;
        m.fit.check()?;
        Ok(m)
    }
}
