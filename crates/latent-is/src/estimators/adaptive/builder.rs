//! Settings of the adaptive estimator.

use super::Adaptive;
use crate::error::Error;
use crate::estimators::cross_entropy::CrossEntropy;
use crate::estimators::form::Form;
use crate::method::final_stage::FinalStage;

/// Builds an [`Adaptive`].
#[derive(Clone, Debug)]
#[must_use]
pub struct AdaptiveBuilder {
    pub(super) method: Adaptive,
}

impl AdaptiveBuilder {
    /// Rays of the first look; zero leaves it out.
    pub fn rays(mut self, rays: usize) -> Self {
        self.method.rays = rays;
        self
    }

    /// The search for design points.
    pub fn form(mut self, form: Form) -> Self {
        self.method.form = form;
        self
    }

    /// Share of the draws around the starts' points in the level that follows them.
    pub fn seed_share(mut self, share: f64) -> Self {
        self.method.seed_share = share;
        self
    }

    /// Levels and final draws.
    pub fn search(mut self, search: CrossEntropy) -> Self {
        self.method.search = search;
        self
    }

    /// The draws that follow the levels.
    pub fn final_stage(mut self, stage: FinalStage) -> Self {
        self.method.search = self.method.search.finished_by(stage);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range.
    pub fn build(self) -> Result<Adaptive, Error> {
        let m = self.method;
        Error::check(m.rays != 1, "rays", "zero, or at least 2", m.rays)?;
        let share = m.seed_share;
        Error::check(share > 0.0 && share < 1.0, "seed_share", "in (0, 1)", share)?;
        Ok(m)
    }
}
