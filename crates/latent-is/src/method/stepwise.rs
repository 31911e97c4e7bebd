//! What an estimator has to offer: a state that can be written down, and a step that carries it on.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::math::rng;
use crate::method::final_stage::{FinalStage, FinalState};
use crate::method::search_outcome::SearchOutcome;
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::estimate::{Estimate, LevelRecord};

/// An estimator that works in steps. Implement this for a new estimator;
/// [`Estimator`](crate::Estimator) then comes with it.
///
/// The serialised estimator is its settings, which a checkpoint keeps; the serialised state is the
/// rest of the checkpoint. A step is a function of its arguments alone, so that a resumed run gives the
/// same bits as one that was not interrupted, on any number of threads.
///
/// ```
/// use latent_is::method::stepwise::{Progress, Stepwise};
/// use latent_is::monte_carlo::MonteCarloState;
/// use latent_is::{
///     Density, Error, Estimate, Estimator, EvalError, FnLimitState, LimitState, MonteCarlo, StandardNormal,
/// };
/// use nalgebra::{DMatrixView, DVector};
///
/// /// `g` with its boundary moved outward by a margin.
/// struct Moved<'a>(&'a dyn LimitState, f64);
///
/// impl LimitState for Moved<'_> {
///     fn dim(&self) -> usize { self.0.dim() }
///     fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
///         Ok(self.0.evaluate(x)?.add_scalar(-self.1))
///     }
/// }
///
/// /// Crude Monte Carlo with a safety margin.
/// #[derive(Debug, serde::Serialize)]
/// struct WithMargin { margin: f64, inner: MonteCarlo }
///
/// impl Stepwise for WithMargin {
///     type State = MonteCarloState;
///
///     fn name(&self) -> &'static str { "monte-carlo-with-margin" }
///     fn init(&self, dim: usize) -> MonteCarloState { self.inner.init(dim) }
///     fn step(&self, p: &dyn Density, g: &dyn LimitState, seed: u64, state: MonteCarloState)
///         -> Result<MonteCarloState, Error>
///     {
///         self.inner.step(p, &Moved(g, self.margin), seed, state)
///     }
///     fn progress(&self, state: &MonteCarloState) -> Progress { self.inner.progress(state) }
///     fn finish(&self, state: MonteCarloState) -> Option<Estimate> { self.inner.finish(state) }
/// }
///
/// let estimator: Box<dyn Estimator> =
///     Box::new(WithMargin { margin: 0.5, inner: MonteCarlo::default() });
/// let g = FnLimitState::new(1, |x: &[f64]| 1.5 - x[0]);
/// let estimate = estimator.estimate(&StandardNormal::new(1), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(0.15866)); // P(x >= 1)
/// # Ok::<(), latent_is::Error>(())
/// ```
pub trait Stepwise: Debug + Send + Sync + Serialize {
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
    /// What keeps the estimator from continuing.
    fn step(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: Self::State,
    ) -> Result<Self::State, Error>;

    /// How far the state is.
    fn progress(&self, state: &Self::State) -> Progress;

    /// Whether the estimator has ended by itself.
    fn done(&self, state: &Self::State) -> bool {
        self.progress(state).done
    }

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
    /// Largest number of evaluations that the next step can make.
    pub next: u64,
    /// Logarithm of the estimate so far, where there is one.
    pub ln_pf: Option<f64>,
    /// Its coefficient of variation, where it can be told.
    pub cov: Option<f64>,
    /// The last level of a search.
    pub level: Option<LevelRecord>,
}

/// A search for a proposal that works in steps; fresh draws from the proposal follow it.
/// [`Stepwise`] and [`SearchMethod`](crate::SearchMethod) come with it.
pub trait SteppedSearch: Debug + Send + Sync + Serialize {
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

    /// The fresh draws that follow the search.
    fn draws(&self) -> &FinalStage;

    /// The state before the first level, for `dim` coordinates.
    fn init_search(&self, dim: usize) -> Self::Search;

    /// One level. A state that is done comes back unchanged.
    ///
    /// # Errors
    /// Those of [`SearchMethod::search`](crate::SearchMethod::search).
    fn step_search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: Self::Search,
    ) -> Result<Self::Search, Error>;

    /// Records of the levels so far.
    fn records(state: &Self::Search) -> &[LevelRecord];

    /// Largest number of evaluations that the next level can make.
    fn next_level(&self, state: &Self::Search) -> u64;

    /// The outcome of a search that has ended; gives the state back when it has not.
    ///
    /// # Errors
    /// The state itself.
    fn outcome(&self, state: Self::Search) -> Result<SearchOutcome, Self::Search>;
}

/// A search method between two steps: in its search or in its final draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Staged<S> {
    /// In the search.
    Search(S),
    /// In the final draws.
    Draws {
        /// The outcome of the search.
        search: Box<SearchOutcome>,
        /// The draws so far.
        draws: Box<FinalState>,
    },
}

impl<S> Staged<S> {
    /// The estimate; none before the first final draw.
    pub fn finish(self) -> Option<Estimate> {
        match self {
            Self::Draws { search, draws } if draws.drawn() => {
                Some(search.complete(draws.finish(), false))
            }
            _ => None,
        }
    }
}

impl<M: SteppedSearch> Stepwise for M {
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
                        let draws = self.draws().init(&search.proposal, search.evaluations)?;
                        Staged::Draws { search: Box::new(search), draws: Box::new(draws) }
                    }
                })
            }
            Staged::Draws { search, draws } => {
                let seed = rng::derive(seed, "estimate", 0);
                let draws = self.draws().step(nominal, g, seed, *draws)?;
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
                next: self.draws().next_batch(draws),
                ln_pf: draws.ln_pf(),
                cov: draws.cov(),
                level: search.levels.last().cloned(),
            },
        }
    }

    fn done(&self, state: &Self::State) -> bool {
        matches!(state, Staged::Draws { draws, .. } if draws.done())
    }

    fn finish(&self, state: Self::State) -> Option<Estimate> {
        state.finish()
    }
}
