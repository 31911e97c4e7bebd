//! Certified estimate: subset simulation finds where failures are, fresh weighted draws say how likely they are.
//!
//! 1. Nominal draws, a share of the budget. Half of them are level 0 of the searches, the others rows of the estimate.
//! 2. For each [mode](LimitState::modes) a subset simulation with conditional moves, down to failure.
//! 3. For each of its levels a proposal: the standard normal distribution but for the few directions in which the states
//!    of the chains differ from it, where it is a mixture of Gaussians.
//! 4. Fresh draws from these proposals, half of them for the failures themselves. States of chains never enter the
//!    estimate.
//! 5. These nominal draws and all fresh ones together, weighted by the balance heuristic, with the variance by groups.
//!
//! It works in hundreds of coordinates, where searches for a mixture in all coordinates do not, and unlike
//! subset simulation it ends with independent draws, whose interval holds and whose weights show a lost mode: a failure
//! among the nominal draws that no proposal explains has a large weight. The estimate is certified when its effective
//! sample size is at least 200, no weight has more than 3 %, and the chains of each mode descend from at least 30 independent
//! draws, so that a mode with 10 % of the failures is hardly lost. No check sees a mode that no chain could reach through
//! levels of $g$: in few coordinates [`Adaptive`](crate::Adaptive), which looks in all directions, is the better choice.
//!
//! # References
//! - I. Papaioannou, W. Betz, K. Zwirglmaier, D. Straub: MCMC algorithms for subset simulation.
//!   *Probabilistic Engineering Mechanics* 41 (2015), 89–103.
//! - E. Veach, L. Guibas: Optimally combining sampling techniques for Monte Carlo rendering. *SIGGRAPH* (1995), 419–428.
//! - F. Uribe, I. Papaioannou, Y. Marzouk, D. Straub: Cross-entropy-based importance sampling with failure-informed
//!   dimension reduction for rare event simulation. *SIAM/ASA Journal on Uncertainty Quantification* 9 (2021), 818–847.

mod groups;
mod mode;
mod rows;
mod sample;
mod search;
mod subspace;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::error::{Error, EvalError};
use crate::estimators::certified::mode::Mode;
use crate::estimators::certified::rows::Rows;
use crate::estimators::certified::search::{LevelSizes, ModeSearch};
use crate::estimators::certified::subspace::Subspace;
use crate::math::rng;
use crate::math::special::ln_sum_exp;
use crate::method::stepwise::{Progress, Stepwise};
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::result::estimate::{Estimate, LevelRecord, SearchRecord, StopReason};
use crate::result::verdict::{CERTIFIED_ESS, CERTIFIED_SHARE};
use crate::search::conditional::clamp_nan;
use crate::settings::{Settings, settings};

pub use sample::CertifiedSample;

/// Rounds in which the fresh draws are made at most.
const ROUNDS: u64 = 4;
/// Probability to which the share of the search is divided into levels. A search goes on to its square, with a larger
/// share of the budget.
const REACH: f64 = 1e-4;
/// Share of the search among the failures themselves. The families of the chains grow with the levels before.
const LAST_SHARE: f64 = 0.25;

/// The certified estimate. See the [module](self).
///
/// ```
/// use latent_is::{Certified, Estimator, FnLimitState, StandardNormal};
///
/// let g = FnLimitState::new(100, |u: &[f64]| 4.0 - u.iter().sum::<f64>() / 10.0);
/// let estimate = Certified::default().estimate(&StandardNormal::new(100), &g, 7)?;
/// assert!(estimate.interval(0.9999).contains(3.167e-5));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Certified {
    budget: u64,
    nominal_share: f64,
    search_share: f64,
    level_probability: f64,
    failure_share: f64,
    rank: usize,
    inflation: f64,
    target_cov: Option<f64>,
}

impl Default for Certified {
    /// 20,000 evaluations: 20 % nominal, some 40 % for the search, the rest fresh.
    fn default() -> Self {
        Self {
            budget: 20_000,
            nominal_share: 0.2,
            search_share: 0.4,
            level_probability: 0.1,
            failure_share: 0.5,
            rank: 10,
            inflation: 2.0,
            target_cov: None,
        }
    }
}

settings!(Certified {
    /// Evaluations in all, at most.
    budget: u64,
    /// Share of the budget for nominal draws.
    nominal_share: f64,
    /// Share of the budget for the searches of all modes together, down to a probability of 1e-4. Rarer events take up to
    /// three quarters as much again.
    search_share: f64,
    /// Share of the states of a level below the next threshold.
    level_probability: f64,
    /// Share of the fresh draws that are for the failures themselves.
    failure_share: f64,
    /// Directions in which a proposal differs from the standard normal distribution, at most.
    rank: usize,
    /// Factor on the covariances of the proposals.
    inflation: f64,
    /// Coefficient of variation at which the fresh draws end early; `None` spends the budget.
    target_cov: Option<f64>,
});

impl Settings for Certified {
    fn check(&self) -> Result<(), Error> {
        Error::check(self.budget >= 1000, "budget", "at least 1000", self.budget)?;
        let unit = |v: f64| v > 0.0 && v < 1.0;
        let shares = [
            ("nominal_share", self.nominal_share),
            ("search_share", self.search_share),
            ("failure_share", self.failure_share),
        ];
        for (name, share) in shares {
            Error::check(unit(share), name, "in (0, 1)", share)?;
        }
        let rest = self.nominal_share + self.search_share;
        Error::check(rest < 1.0, "nominal_share + search_share", "below 1", rest)?;
        let p = self.level_probability;
        Error::check((0.01..=0.5).contains(&p), "level_probability", "in [0.01, 0.5]", p)?;
        Error::check(self.rank >= 1, "rank", "at least 1", self.rank)?;
        let inflation = self.inflation;
        let wide = inflation >= 1.0 && inflation.is_finite();
        Error::check(wide, "inflation", "at least 1", inflation)?;
        let target = self.target_cov.unwrap_or(1.0);
        Error::check(target > 0.0 && target.is_finite(), "target_cov", "positive", target)
    }
}

/// A run between two steps; the serialised form is a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CertifiedState {
    dim: usize,
    searches: Vec<ModeSearch>,
    rows: Rows,
    /// Nominal draws from which the searches start.
    start: u64,
    /// Draws of each round from each proposal.
    rounds: Vec<Vec<usize>>,
    stopped: Option<StopReason>,
}

impl CertifiedState {
    fn levels(&self) -> Vec<LevelRecord> {
        self.searches.iter().flat_map(|search| search.levels.clone()).collect()
    }

    fn search_evaluations(&self) -> u64 {
        self.searches.iter().flat_map(|search| &search.levels).map(|level| level.evaluations).sum()
    }

    fn evaluations(&self) -> u64 {
        self.rows.len() + self.start + self.search_evaluations()
    }

    fn proposals(&self) -> Vec<&Subspace> {
        self.searches.iter().flat_map(|search| &search.proposals).collect()
    }

    /// The nominal draws.
    fn nominal(&self, n: usize, seed: u64) -> DMatrix<f64> {
        rng::standard_normal(self.dim, n, rng::derive(seed, "nominal", 0))
    }

    /// The fresh draws of round `round`, `counts` from each proposal.
    fn draw(&self, round: usize, counts: &[usize], seed: u64) -> Result<DMatrix<f64>, EvalError> {
        let seed = rng::derive(seed, "fresh", round as u64);
        let mut flat = Vec::new();
        for (j, (proposal, n)) in self.proposals().into_iter().zip(counts).enumerate() {
            let u = proposal.sample(*n, rng::derive(seed, "group", j as u64))?;
            flat.extend_from_slice(u.as_slice());
        }
        Ok(DMatrix::from_vec(self.dim, flat.len() / self.dim, flat))
    }

    /// The first search that has not ended.
    fn searching(&self) -> Option<usize> {
        self.searches.iter().position(|search| search.stopped.is_none())
    }

    /// The estimate from the rows so far.
    fn tally(&self) -> Result<Estimate, EvalError> {
        let fresh = self.rows.counts.len() - 1;
        self.rows.estimate(self.dim, &self.proposals()[..fresh])
    }
}

impl Certified {
    fn nominal_draws(&self) -> usize {
        (self.nominal_share * self.budget as f64) as usize
    }

    /// Sizes of the levels of a search of one of `modes` modes.
    fn level(&self, modes: usize) -> LevelSizes {
        let most = (self.search_share * self.budget as f64) as usize / modes;
        let levels = (REACH.ln() / self.level_probability.ln()).ceil() as usize;
        // The states from which chains start are not evaluated again.
        let states =
            most as f64 * (1.0 - LAST_SHARE) / levels as f64 / (1.0 - self.level_probability);
        let states = (states as usize).max(20);
        let chains = ((self.level_probability * states as f64).round() as usize).max(2);
        let last = (most as f64 * LAST_SHARE) as usize;
        LevelSizes { chains, states, last, most: 2 * levels + 1 }
    }

    /// Draws of a round from each proposal.
    fn round(&self, state: &CertifiedState) -> Vec<usize> {
        let left = self.budget.saturating_sub(state.evaluations());
        let each = (left / (ROUNDS - state.rounds.len() as u64).max(1)) as f64
            / state.searches.len() as f64;
        let mut counts = Vec::new();
        for search in &state.searches {
            let before = search.proposals.len() - 1;
            let last = if before == 0 { 1.0 } else { self.failure_share };
            counts.extend((0..before).map(|_| (each * (1.0 - last) / before as f64) as usize));
            counts.push((each * last) as usize);
        }
        counts
    }

    fn nominal(
        &self,
        g: &dyn LimitState,
        seed: u64,
        mut state: CertifiedState,
    ) -> Result<CertifiedState, Error> {
        let n = self.nominal_draws();
        let u = state.nominal(n, seed);
        let values = g.evaluate_modes(u.as_view())?;
        EvalError::check_dim(n, values.ncols())?;
        // Draws from which chains start shape the proposals, and so must not be rows of the estimate.
        let half = n / 2;
        state.rows.add(0, u.columns(half, n - half), values.columns(half, n - half));
        state.start = half as u64;
        let (u, values) = (u.columns(0, half).clone_owned(), values.columns(0, half));
        let chains = self.level(g.modes()).chains;
        state.searches = values
            .row_iter()
            .enumerate()
            .map(|(mode, row)| {
                let values: Vec<f64> = row.iter().map(|value| clamp_nan(*value)).collect();
                ModeSearch::new(&u, &values, chains, rng::derive(seed, "seeds", mode as u64))
            })
            .collect();
        Ok(state)
    }

    fn fresh(
        &self,
        g: &dyn LimitState,
        seed: u64,
        mut state: CertifiedState,
    ) -> Result<CertifiedState, Error> {
        let counts = self.round(&state);
        let u = state.draw(state.rounds.len(), &counts, seed)?;
        let values = g.evaluate_modes(u.as_view())?;
        EvalError::check_dim(u.ncols(), values.ncols())?;
        let mut first = 0;
        for (j, n) in counts.iter().enumerate() {
            state.rows.add(j + 1, u.columns(first, *n), values.columns(first, *n));
            first += n;
        }
        state.rounds.push(counts);
        let estimate = state.tally()?;
        let (ess, share) = (estimate.weights.ess, estimate.weights.max_share);
        let certified = ess >= CERTIFIED_ESS && share <= CERTIFIED_SHARE;
        let reached = self.target_cov.is_none_or(|target| estimate.cov <= target);
        state.stopped = if self.target_cov.is_some() && certified && reached {
            Some(StopReason::Converged)
        } else if state.rounds.len() as u64 == ROUNDS {
            Some(if reached { StopReason::Converged } else { StopReason::Budget })
        } else {
            None
        };
        Ok(state)
    }
}

impl Stepwise for Certified {
    type State = CertifiedState;

    fn name(&self) -> &'static str {
        "certified"
    }

    fn accepts(&self, nominal: &dyn Density) -> Result<(), Error> {
        StandardNormal::require(nominal, "standard normal for a certified estimate")
    }

    fn init(&self, dim: usize) -> CertifiedState {
        CertifiedState { dim, ..CertifiedState::default() }
    }

    fn step(
        &self,
        _nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: CertifiedState,
    ) -> Result<CertifiedState, Error> {
        if state.stopped.is_some() {
            return Ok(state);
        }
        if state.searches.is_empty() {
            return self.nominal(g, seed, state);
        }
        let Some(index) = state.searching() else { return self.fresh(g, seed, state) };
        let search = state.searches.remove(index);
        let seed = rng::derive(seed, "mode", index as u64);
        let sizes = self.level(g.modes());
        let search = search.step(self, &Mode { g, index }, &sizes, seed)?;
        state.searches.insert(index, search);
        Ok(state)
    }

    fn progress(&self, state: &CertifiedState) -> Progress {
        let known = !state.rounds.is_empty();
        let estimate = known.then(|| state.tally().ok()).flatten();
        let next = if state.searches.is_empty() {
            self.nominal_draws()
        } else if state.searching().is_some() {
            self.level(state.searches.len()).last
        } else {
            self.round(state).iter().sum()
        };
        Progress {
            phase: match (state.searches.is_empty(), state.searching()) {
                (true, _) => "nominal",
                (_, Some(_)) => "search",
                // The last level is to be seen.
                _ if state.rounds.is_empty() => "search",
                _ => "draws",
            },
            done: state.stopped.is_some(),
            evaluations: state.evaluations(),
            next: next as u64,
            ln_pf: estimate.as_ref().map(|e| e.ln_pf).filter(|l| l.is_finite()),
            cov: estimate.map(|e| e.cov).filter(|cov| cov.is_finite()),
            level: state.levels().last().cloned(),
        }
    }

    fn done(&self, state: &CertifiedState) -> bool {
        state.stopped.is_some()
    }

    fn finish(&self, state: CertifiedState) -> Option<Estimate> {
        if state.rows.len() == 0 {
            return None;
        }
        let mut estimate = state.tally().ok()?;
        let levels = state.levels();
        estimate.counts.evaluations = state.evaluations();
        estimate.counts.nan_evaluations += levels.iter().map(|l| l.nan_evaluations).sum::<u64>();
        estimate.stopped = state.stopped.unwrap_or(StopReason::Budget);
        let reached = state.searches.iter().all(ModeSearch::reached);
        let ln_p: Vec<f64> = state.searches.iter().map(|search| search.ln_p).collect();
        let families = state.searches.iter().map(|search| search.families);
        estimate.checks.families = Some(families.fold(f64::INFINITY, f64::min));
        if state.searches.len() > 1 {
            estimate.modes =
                state.rows.modes(estimate.sample.ln_w.as_slice(), state.searches.len());
            for (mode, search) in estimate.modes.iter_mut().zip(&state.searches) {
                mode.ln_pf_search = search.reached().then_some(search.ln_p);
            }
        }
        estimate.search = Some(SearchRecord {
            levels,
            stopped: if reached { StopReason::Converged } else { StopReason::Levels },
            ln_pf: reached.then(|| ln_sum_exp(&ln_p)),
        });
        Some(estimate)
    }
}
