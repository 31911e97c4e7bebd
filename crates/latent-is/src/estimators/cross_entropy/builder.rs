//! Settings of the cross-entropy methods.

use super::{CrossEntropySearch, Quantile, Schedule};
use crate::error::Error;
use crate::method::final_stage::FinalStage;
use crate::mixture::fit::Components;
use crate::search::level_size::LevelSize;

/// Builds a [`CrossEntropySearch`].
#[derive(Clone, Debug)]
#[must_use]
pub struct CrossEntropyBuilder<S> {
    pub(crate) method: CrossEntropySearch<S>,
}

impl CrossEntropyBuilder<Quantile> {
    /// Share $\rho$ of the draws that the next threshold keeps.
    pub fn quantile(mut self, rho: f64) -> Self {
        self.method.schedule.quantile = rho;
        self
    }
}

impl<S: Schedule> CrossEntropyBuilder<S> {
    /// Draws of each level.
    pub fn samples_per_level(mut self, n: usize) -> Self {
        self.method.samples_per_level = LevelSize::Fixed(n);
        self
    }

    /// Most levels before the search gives up.
    pub fn max_levels(mut self, levels: usize) -> Self {
        self.method.max_levels = levels;
        self
    }

    /// Whether fits use the points of all levels or those of the last one alone.
    pub fn pooled(mut self, pooled: bool) -> Self {
        self.method.pooled = pooled;
        self
    }

    /// Further levels after the threshold or width reached zero.
    pub fn refinements(mut self, levels: usize) -> Self {
        self.method.refinements = levels;
        self
    }

    /// Refines beyond the asked number of levels as long as that saves more final draws than it costs.
    pub fn refine_adaptively(mut self, on: bool) -> Self {
        self.method.refine_adaptively = on;
        self
    }

    /// Share of a wide Gaussian around the nominal law in every proposal, the final one included; half
    /// of the first level comes from it. Zero turns exploration off.
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
    pub fn build(self) -> Result<CrossEntropySearch<S>, Error> {
        let m = self.method;
        let n = m.samples_per_level.least();
        Error::check(n >= 10, "samples_per_level", "at least 10", n)?;
        m.schedule.check()?;
        let share = m.explore;
        Error::check((0.0..1.0).contains(&share), "explore", "in [0, 1)", share)?;
        Error::check(m.max_levels >= 1, "max_levels", "at least 1", m.max_levels)?;
        m.fit.check()?;
        Ok(m)
    }
}
