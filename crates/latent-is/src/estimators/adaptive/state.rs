//! What an adaptive run carries from step to step.

use serde::{Deserialize, Serialize};

use super::Adaptive;
use super::starts::{Starts, record};
use crate::error::Error;
use crate::estimators::cross_entropy::CrossEntropyState;
use crate::estimators::directional::DirectionalState;
use crate::math::rng;
use crate::method::stepwise::{Progress, Staged, SteppedSearch, Stepwise};
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::result::estimate::Estimate;

/// Part of the search's share of the budget that the directional pilot may take at most: a quarter.
const PILOT_SHARE: u64 = 4;
/// Rays of a batch once they have been chosen.
const BATCH: usize = 25;

/// An adaptive run between two steps; its serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdaptiveState {
    /// Before the first step.
    Begin {
        /// Number of coordinates.
        dim: usize,
    },
    /// Rays alone: failure surrounds the origin.
    Rays(Box<DirectionalState>),
    /// A mixture, in its search or in its final draws.
    Mixture {
        /// What the starts found, once they are done.
        starts: Option<Box<Starts>>,
        /// The search or the draws.
        stage: Box<Staged<CrossEntropyState>>,
    },
}

impl AdaptiveState {
    /// Whether the run has ended.
    pub fn done(&self) -> bool {
        match self {
            Self::Begin { .. } => false,
            Self::Rays(rays) => rays.done(),
            Self::Mixture { stage, .. } => {
                matches!(&**stage, Staged::Draws { draws, .. } if draws.done())
            }
        }
    }

    /// The estimate; none before the first final draw.
    pub fn finish(self) -> Option<Estimate> {
        match self {
            Self::Begin { .. } => None,
            Self::Rays(rays) => (rays.rays() > 0).then(|| rays.finish()),
            Self::Mixture { starts, stage } => {
                let mut estimate = stage.finish()?;
                estimate.checks.starts = starts.map(|found| record(&found.found, &estimate));
                Some(estimate)
            }
        }
    }
}

impl Adaptive {
    /// One step: rays, starts, a level or a batch of final draws. A state that is done comes back
    /// unchanged.
    pub(super) fn advance(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: AdaptiveState,
    ) -> Result<AdaptiveState, Error> {
        if state.done() {
            return Ok(state);
        }
        let search_seed = rng::derive(seed, "search", 0);
        match state {
            AdaptiveState::Begin { .. } => self.look(nominal, g, seed),
            AdaptiveState::Rays(rays) => {
                let method = self.directional(BATCH);
                let rays = method.step(nominal, g, rng::derive(seed, "estimate", 0), *rays)?;
                // Rays that miss crossings are no estimate: the search takes over.
                let missed = rays.contradicted() > 0;
                Ok(if missed {
                    self.search_after(g.dim(), rays.evaluations())
                } else {
                    AdaptiveState::Rays(Box::new(rays))
                })
            }
            AdaptiveState::Mixture { starts, stage } => match *stage {
                Staged::Search(levels) if !levels.done() => {
                    let mut starts = starts.map(|found| *found);
                    let levels = self.search_step(nominal, g, search_seed, &mut starts, levels)?;
                    let stage = Box::new(Staged::Search(levels));
                    Ok(AdaptiveState::Mixture { starts: starts.map(Box::new), stage })
                }
                stage => {
                    let stage = Stepwise::step(&self.search, nominal, g, seed, stage)?;
                    Ok(AdaptiveState::Mixture { starts, stage: Box::new(stage) })
                }
            },
        }
    }

    /// A few rays, to choose between rays alone and the search for a mixture.
    fn look(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<AdaptiveState, Error> {
        if self.rays == 0 || !StandardNormal::is(nominal)? {
            return Ok(self.search_after(g.dim(), 0));
        }
        let method = self.directional(self.rays);
        let share = self.search.search_settings().search_share() / PILOT_SHARE;
        if method.next(g.dim()) > share {
            return Ok(self.search_after(g.dim(), 0));
        }
        let first = method.init(g.dim());
        let first = method.step(nominal, g, rng::derive(seed, "look", 0), first)?;
        let each = first.evaluations() as f64 / self.rays as f64;
        let suffice = first.contradicted() == 0 && self.rays_suffice(first.spread(), each);
        Ok(if suffice {
            AdaptiveState::Rays(Box::new(DirectionalState::after(g.dim(), first.evaluations())))
        } else {
            self.search_after(g.dim(), first.evaluations())
        })
    }

    /// The beginning of a search that `spent` evaluations went before.
    fn search_after(&self, dim: usize, spent: u64) -> AdaptiveState {
        let mut levels = self.search.init_search(dim);
        levels.add_evaluations(spent, 0);
        AdaptiveState::Mixture { starts: None, stage: Box::new(Staged::Search(levels)) }
    }
}

impl Stepwise for Adaptive {
    type State = AdaptiveState;

    fn name(&self) -> &'static str {
        "adaptive"
    }

    fn init(&self, dim: usize) -> AdaptiveState {
        AdaptiveState::Begin { dim }
    }

    fn step(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: AdaptiveState,
    ) -> Result<AdaptiveState, Error> {
        self.advance(nominal, g, seed, state)
    }

    fn progress(&self, state: &AdaptiveState) -> Progress {
        match state {
            AdaptiveState::Begin { dim } => Progress {
                phase: "look",
                done: false,
                evaluations: 0,
                next: self.directional(self.rays.max(2)).next(*dim),
                ln_pf: None,
                cov: None,
                level: None,
            },
            AdaptiveState::Rays(rays) => self.directional(BATCH).progress(rays),
            AdaptiveState::Mixture { stage, .. } => {
                let mut progress = Stepwise::progress(&self.search, stage);
                if let Staged::Search(levels) = &**stage {
                    progress.evaluations += levels.added_evaluations();
                    progress.next = progress.next.max(self.form.most(self.starts_of(levels)));
                }
                progress
            }
        }
    }

    fn done(&self, state: &AdaptiveState) -> bool {
        state.done()
    }

    fn finish(&self, state: AdaptiveState) -> Option<Estimate> {
        state.finish()
    }
}
