//! The recommended estimator: directional pilot, FORM starting points, cross-entropy levels, importance sampling.
//!
//! 1. *Directional pilot.* A few rays from the origin of standard normal space. Where the failure boundary lies
//!    at nearly the same distance in all directions, [`Directional`] sampling alone reaches the target.
//! 2. *First level.* Draws from the nominal distribution and from a wide one, as in [`CrossEntropy`].
//! 3. *Starts.* [`Form`] searches for design points in rounds: from the origin and from draws of the first level
//!    that failed, or came nearest to failure, far from each other; then from failures that no design point
//!    found so far explains. Each design point $u^\ast$ gets a Gaussian $\mathcal N(u^\ast, I)$; together they make
//!    up half of the next level.
//! 4. *Levels.* Cross-entropy levels with pooled weights and an automatic number of components, most of them
//!    at the failure event at once. Stopping is cost-based: with the relative variance $\sigma_t^2$ of one draw of
//!    level $t$, the target $\delta$ needs $\sigma_t^2/\delta^2$ final draws, and the trend of $\sigma_t^2$
//!    predicts the next value. Levels end when the next one would cost more than it saves.
//! 5. *Importance sampling.* Fresh draws from the frozen, defended proposal. The estimate is (1) of
//!    [`final_stage`](crate::final_stage); it has no bias, whatever the steps before it did.
//!
//! Under a nominal density that is not standard normal, steps 1 and 3 are left out.
//!
//! The weight that a draw at a design point would have, relative to the estimate, shows whether the final
//! proposal covers what the starts found; a large one makes the verdict suspect.

mod fit;
mod starts;
mod state;

use serde::{Deserialize, Serialize};

pub use state::AdaptiveState;

use crate::error::{Error, EvalError};
use crate::estimators::cross_entropy::{CrossEntropy, CrossEntropyState};
use crate::estimators::directional::Directional;
use crate::estimators::form::Form;
use crate::method::final_stage::FinalStage;
use crate::method::search_method::SearchMethod;
use crate::method::search_outcome::SearchOutcome;
use crate::method::search_settings::{SearchSettings, Searches};
use crate::method::stepwise::SteppedSearch;
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::search::level_size::FEW_COORDINATES;
use crate::settings::{Builder, Settings, builder, checked_serde};
use fit::Proposer;
use starts::{Starts, seeds};

/// Most starts of the search for design points.
const MOST_STARTS: usize = 24;
/// Gradients that a start takes, about.
const GRADIENTS: usize = 8;
/// Evaluations that the starts may take, about: what four levels take.
const START_BUDGET: usize = 2400;
/// The same as a share of the budget.
const STARTS_SHARE: f64 = 0.15;
/// Evaluations below which rays alone are chosen: about what the search for a mixture takes.
const RAYS_WORTH: f64 = 3000.0;
/// Factor on the variance over the first few rays, which is uncertain.
const CAUTION: f64 = 2.0;
/// Target of the directional estimator where the final stage has none.
const DEFAULT_TARGET: f64 = 0.02;
/// Share that the places keep in later levels, above so many coordinates that no explorer follows them.
const KEPT_SHARE: f64 = 0.2;
/// Levels after which no further starts are made.
const LAST_STARTS: usize = 4;
/// Most further starts per level, and coordinates and places above which there are none.
const MORE_STARTS: usize = 4;
const MOST_FOLLOWED: usize = 20;
const MOST_PLACES: usize = 24;

/// The recommended estimator. See the [module](self) for what it does.
///
/// ```
/// use latent_is::{Adaptive, Estimator, FnLimitState, StandardNormal};
///
/// let g = FnLimitState::new(10, |u: &[f64]| 4.5 - u.iter().sum::<f64>() / 10_f64.sqrt());
/// let estimate = Adaptive::default().estimate(&StandardNormal::new(10), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(3.3977e-6));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Adaptive {
    rays: usize,
    form: Form,
    seed_share: f64,
    search: CrossEntropy,
}

impl Default for Adaptive {
    fn default() -> Self {
        let search = CrossEntropy::builder()
            .samples_per_level(1200)
            .refine_adaptively(true)
            .build()
            .expect("the settings are in range");
        Self { rays: 8, form: Form::default(), seed_share: 0.5, search }
    }
}

checked_serde!(Adaptive);
builder!(Adaptive);

impl Builder<Adaptive> {
    /// Rays of the directional pilot; zero leaves it out.
    pub fn rays(mut self, rays: usize) -> Self {
        self.settings.rays = rays;
        self
    }

    /// The search for design points.
    pub fn form(mut self, form: Form) -> Self {
        self.settings.form = form;
        self
    }

    /// Share of the draws around the starts' points in the level that follows them.
    pub fn seed_share(mut self, share: f64) -> Self {
        self.settings.seed_share = share;
        self
    }

    /// Levels and final draws.
    pub fn levels(mut self, levels: CrossEntropy) -> Self {
        self.settings.search = levels;
        self
    }
}

impl Settings for Adaptive {
    fn check(&self) -> Result<(), Error> {
        Error::check(self.rays != 1, "rays", "zero, or at least 2", self.rays)?;
        let share = self.seed_share;
        Error::check(share > 0.0 && share < 1.0, "seed_share", "in (0, 1)", share)?;
        self.form.check()?;
        self.search.check()
    }
}

impl Searches for Adaptive {
    fn search_settings(&self) -> &SearchSettings {
        self.search.search_settings()
    }

    fn search_settings_mut(&mut self) -> &mut SearchSettings {
        self.search.search_settings_mut()
    }
}

impl Adaptive {
    /// Rays of the directional pilot.
    pub fn rays(&self) -> usize {
        self.rays
    }

    /// The search for design points.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Share of the draws around the starts' points in the level that follows them.
    pub fn seed_share(&self) -> f64 {
        self.seed_share
    }

    /// Levels and final draws.
    pub fn levels(&self) -> &CrossEntropy {
        &self.search
    }

    /// Directional sampling to the same target and budget, in batches of `rays`.
    fn directional(&self, rays: usize) -> Directional {
        let stage = self.search.final_stage();
        Directional::builder()
            .batch(rays)
            .target_cov(stage.target_cov().unwrap_or(DEFAULT_TARGET))
            .budget(stage.budget().unwrap_or(u64::MAX))
            .build()
            .expect("the settings of a final stage are in range")
    }

    /// Whether rays with the relative variance `spread` over them, at `each` evaluations, reach the
    /// target before a search would have ended.
    fn rays_suffice(&self, spread: f64, each: f64) -> bool {
        let target = self.search.final_stage().target_cov().unwrap_or(DEFAULT_TARGET);
        CAUTION * spread / (target * target) * each <= RAYS_WORTH
    }

    /// Evaluations that the first starts may take, about.
    fn start_budget(&self) -> usize {
        let budget = self.search.final_stage().budget().unwrap_or(u64::MAX);
        ((STARTS_SHARE * budget as f64) as usize).min(START_BUDGET)
    }

    /// Evaluations that starts may take at most: what is left to the search, less one level.
    fn start_limit(&self, levels: &CrossEntropyState) -> u64 {
        let settings = self.search.search_settings();
        let drawn: u64 = levels.levels().iter().map(|level| level.evaluations).sum();
        let next = settings.samples_per_level(levels.pool().x.nrows()) as u64;
        settings.search_share().saturating_sub(drawn + levels.added_evaluations() + next)
    }

    /// Most starts that the next step of a search makes, and their coordinates.
    fn starts_of(&self, levels: &CrossEntropyState) -> (usize, usize) {
        let d = levels.pool().x.nrows();
        let first = most_starts(self.start_budget(), d);
        match levels.levels().len() {
            1 => (first, d),
            n if n <= LAST_STARTS => (MORE_STARTS, d),
            _ => (0, d),
        }
    }

    /// One level of the search, or its starts when they are due after the first level.
    fn search_step(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        starts: &mut Option<Starts>,
        mut levels: CrossEntropyState,
    ) -> Result<CrossEntropyState, Error> {
        let known = starts.as_ref().map(Starts::places).unwrap_or_default();
        let due = match starts {
            None => levels.levels().len() == 1,
            Some(found) => found.after < levels.levels().len() && found.after < LAST_STARTS,
        };
        if due && StandardNormal::is(nominal)? {
            let pool = levels.pool();
            let first = starts.is_none();
            let found = starts.get_or_insert_default();
            found.after = levels.levels().len();
            let (spent, nan_evaluations) = (found.found.evaluations, found.found.nan_evaluations);
            let limit = self.start_limit(&levels);
            if first {
                found.first(
                    &self.form,
                    g,
                    pool,
                    most_starts(self.start_budget(), g.dim()),
                    limit,
                )?;
            } else if g.dim() <= MOST_FOLLOWED && known.len() < MOST_PLACES {
                found.further(&self.form, g, pool, MORE_STARTS, limit)?;
            }
            let spent = found.found.evaluations - spent;
            if spent > 0 {
                levels.add_evaluations(spent, found.found.nan_evaluations - nan_evaluations);
                let fresh: Vec<_> = found.places().split_off(known.len());
                if let Some(seeds) = seeds(&fresh)? {
                    levels.blend_in(&seeds, self.seed_share)?;
                }
                return Ok(levels);
            }
        }
        let fit = Proposer { fit: *self.search.search_settings().fit(), places: &known };
        let mut levels = self.search.step_with(&fit, nominal, g, seed, levels)?;
        if known.len() > 1 && g.dim() > FEW_COORDINATES {
            levels.blend_in(&seeds(&known)?.expect("there are places"), KEPT_SHARE)?;
        }
        Ok(levels)
    }
}

/// Number of starts that about `worth` evaluations allow in `d` coordinates.
fn most_starts(worth: usize, d: usize) -> usize {
    (worth / ((d + 1) * GRADIENTS)).clamp(1, MOST_STARTS)
}

impl SearchMethod for Adaptive {
    fn search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<SearchOutcome, Error> {
        EvalError::check_dim(nominal.dim(), g.dim())?;
        let (mut starts, mut levels) = (None, self.search.init_search(g.dim()));
        while !levels.done() {
            levels = self.search_step(nominal, g, seed, &mut starts, levels)?;
        }
        Ok(levels.into_search().expect("a finished search has a proposal"))
    }

    fn final_stage(&self) -> &FinalStage {
        self.search.final_stage()
    }
}
