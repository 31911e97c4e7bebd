//! What an estimator has to offer to be run: a state that a step carries on.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::math::rng;
use crate::method::final_stage::FinalState;
use crate::method::search_method::{Method, Search, finished};
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::estimate::{Estimate, LevelRecord};

/// An estimator that works in steps on a state which can be written down.
///
/// The serialised estimator is its settings, which a checkpoint keeps; the serialised state is the
/// rest of the checkpoint. A step is a function of its arguments alone.
pub trait Estimator: Serialize {
    /// What a step carries on.
    type State: Serialize + DeserializeOwned;

    /// Its name in checkpoints and reports.
    fn name(&self) -> &'static str;

    /// Refuses a nominal density that the estimator cannot work with.
    ///
    /// # Errors
    /// [`Error::Setting`] that says which it needs.
    fn accepts(&self, _nominal: &dyn Density) -> Result<(), Error> {
        Ok(())
    }

    /// The state before the first step, for `dim` coordinates.
    fn init(&self, dim: usize) -> Self::State;

    /// One step. A state that is done comes back unchanged.
    ///
    /// # Errors
    /// What keeps the estimator from going on.
    fn step(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: Self::State,
    ) -> Result<Self::State, Error>;

    /// How far the state is.
    fn progress(&self, state: &Self::State) -> Progress;

    /// The estimate; none when the state is too early for one.
    fn finish(&self, state: Self::State) -> Option<Estimate>;
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// What the run is doing.
    pub phase: &'static str,
    /// Whether the estimator has ended by itself.
    pub done: bool,
    /// Evaluations so far.
    pub evaluations: u64,
    /// Evaluations that the next step makes at most.
    pub next: u64,
    /// Logarithm of the estimate so far, where there is one.
    pub ln_pf: Option<f64>,
    /// Its coefficient of variation, where it can be told.
    pub cov: Option<f64>,
    /// The last level of a search.
    pub level: Option<LevelRecord>,
}

/// A [`Method`] whose search works in steps; such a method is an [`Estimator`].
pub trait Stepped: Method + Serialize {
    /// The state of the search.
    type Search: Serialize + DeserializeOwned;

    /// Its name in checkpoints and reports.
    const NAME: &'static str;

    /// Refuses a nominal density that the search cannot work with.
    ///
    /// # Errors
    /// [`Error::Setting`] that says which it needs.
    fn accepts_nominal(&self, _nominal: &dyn Density) -> Result<(), Error> {
        Ok(())
    }

    /// The state before the first level, for `dim` coordinates.
    fn init_search(&self, dim: usize) -> Self::Search;

    /// One level.
    ///
    /// # Errors
    /// Those of [`Method::search`].
    fn step_search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: Self::Search,
    ) -> Result<Self::Search, Error>;

    /// Records of the levels so far.
    fn records(state: &Self::Search) -> &[LevelRecord];

    /// Evaluations that the next level makes at most.
    fn next_level(&self, state: &Self::Search) -> u64;

    /// The outcome of a search that has ended; gives the state back when it has not.
    ///
    /// # Errors
    /// The state itself.
    fn outcome(&self, state: Self::Search) -> Result<Search, Self::Search>;
}

/// A method between two steps: in its search or in its final draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Staged<S> {
    /// In the search.
    Search(S),
    /// In the final draws.
    Draws {
        /// The outcome of the search.
        search: Box<Search>,
        /// The draws so far.
        draws: Box<FinalState>,
    },
}

impl<M: Stepped> Estimator for M {
    type State = Staged<M::Search>;

    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn accepts(&self, nominal: &dyn Density) -> Result<(), Error> {
        self.accepts_nominal(nominal)
    }

    fn init(&self, dim: usize) -> Self::State {
        Staged::Search(self.init_search(dim))
    }

    fn step(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: Self::State,
    ) -> Result<Self::State, Error> {
        match state {
            Staged::Search(search) => {
                let seed = rng::derive(seed, "search", 0);
                let search = self.step_search(nominal, g, seed, search)?;
                Ok(match self.outcome(search) {
                    Err(search) => Staged::Search(search),
                    Ok(search) => {
                        let draws =
                            self.final_stage().init(&search.proposal, search.evaluations)?;
                        Staged::Draws { search: Box::new(search), draws: Box::new(draws) }
                    }
                })
            }
            Staged::Draws { search, draws } => {
                let seed = rng::derive(seed, "estimate", 0);
                let draws = self.final_stage().step(nominal, g, seed, *draws)?;
                Ok(Staged::Draws { search, draws: Box::new(draws) })
            }
        }
    }

    fn progress(&self, state: &Self::State) -> Progress {
        match state {
            Staged::Search(search) => Progress {
                phase: "search",
                done: false,
                evaluations: M::records(search).iter().map(|l| l.evaluations).sum(),
                next: self.next_level(search),
                ln_pf: None,
                cov: None,
                level: M::records(search).last().cloned(),
            },
            Staged::Draws { search, draws } => Progress {
                phase: "draws",
                done: draws.done(),
                evaluations: draws.evaluations(),
                next: self.final_stage().next_batch(draws),
                ln_pf: draws.ln_pf(),
                cov: draws.cov(),
                level: search.levels.last().cloned(),
            },
        }
    }

    fn finish(&self, state: Self::State) -> Option<Estimate> {
        match state {
            Staged::Draws { search, draws } if draws.drawn() => {
                Some(finished(draws.finish(), *search))
            }
            _ => None,
        }
    }
}
