//! Cross-entropy importance sampling with Gaussian mixtures.
//!
//! The proposal moves through thresholds $\gamma_1 > \dots > \gamma_T = 0$. From $n$ draws of $q_t$, with
//! $q_0 = p$, the next threshold is $\gamma_{t+1} = \max(0, \rho\text{-quantile of } g)$, and $q_{t+1}$
//! maximises
//!
//! $$ \sum_{i:\, g(x_i) \le \gamma_{t+1}} w_i \log q(x_i), \qquad w_i = p(x_i) / q_t(x_i). \tag{3} $$
//!
//! The default pools the points of all levels, with weights $p / \sum_m n_m q_m$, chooses the number of
//! components at each level and, once the threshold is zero, refines the proposal on further draws.
//! Half of its first level and a share of every later one explore: they come from a wide law around the
//! nominal one, and from where falling values of $g$ under the wide law lead. Modes that the elite samples
//! would leave out stay in sight.
//! Use it when the failure region shows itself by falling values of $g$; a small mode that lies behind
//! rising values can still be lost.
//!
//! # References
//! - S. Geyer, I. Papaioannou, D. Straub: Cross entropy-based importance sampling using Gaussian
//!   densities revisited. *Structural Safety* 76 (2019), 15–27.

mod builder;

use serde::{Deserialize, Serialize};

pub use builder::CrossEntropyBuilder;

use crate::diagnostics::effective_sample_size;
use crate::estimate::{LevelRecord, StopReason};
use crate::explore::Explorer;
use crate::mixture::Fitted;
use crate::pool::{Batch, Pool};
use crate::run::Stepped;
use crate::{
    Components, Density, Error, EvalError, FinalStage, GaussianMixture, LimitState, Method,
    MixtureFit, Search, rng,
};

/// Levels without progress after which a search gives up.
const PATIENCE: usize = 3;
/// Factor on the covariances after a level without progress.
const RELEASE: f64 = 1.5;
/// Largest share of the draws that is kept for the sake of many coordinates.
const MOST_KEPT: f64 = 0.3;
/// Relative variance of one draw from a mixture that fits well.
const WELL_FITTED: f64 = 0.7;
/// Factor on the relative variance that a further level is hoped to bring when the last one brought none.
const HOPE: f64 = 0.8;
/// Most refinement levels beyond those asked for that wait for the explorer to arrive.
const WAIT: usize = 1;

/// How the proposal of the next level comes from the points so far.
pub(crate) trait Propose {
    /// A mixture for the points of `pool` with log-weights `ln_w`, minus infinity where a point takes no
    /// part; a share of the explorer will be blended in.
    fn propose(
        &self,
        pool: &Pool,
        ln_w: &[f64],
        explorer: Option<&Explorer>,
        seed: u64,
    ) -> Result<Fitted, Error>;

    /// Failures in a level with which the next proposal aims at the failure event itself, whatever share
    /// of the draws they are.
    fn enough(&self) -> u64 {
        u64::MAX
    }
}

impl Propose for MixtureFit {
    fn propose(
        &self,
        pool: &Pool,
        ln_w: &[f64],
        _explorer: Option<&Explorer>,
        seed: u64,
    ) -> Result<Fitted, Error> {
        self.fit(pool.x.as_view(), ln_w, seed)
    }
}

/// The cross-entropy method. See the [module](self) for what it does.
///
/// ```
/// use latent_is::{CrossEntropy, FnLimitState, Method, StandardNormal};
///
/// let g = FnLimitState::new(2, |x: &[f64]| 3.5 - x[0]);
/// let estimate = CrossEntropy::default().estimate(&StandardNormal::new(2), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(2.326e-4));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossEntropy {
    samples_per_level: usize,
    quantile: f64,
    max_levels: usize,
    pooled: bool,
    refinements: usize,
    /// Refines further while that saves final draws.
    #[serde(default)]
    while_it_pays: bool,
    /// Share of the explorer in every proposal.
    explore: f64,
    fit: MixtureFit,
    final_stage: FinalStage,
}

impl Default for CrossEntropy {
    fn default() -> Self {
        Self {
            samples_per_level: 800,
            quantile: 0.1,
            max_levels: 50,
            pooled: true,
            refinements: 1,
            while_it_pays: false,
            explore: 0.05,
            fit: MixtureFit::default(),
            final_stage: FinalStage::default(),
        }
    }
}

impl CrossEntropy {
    /// The published settings: 2000 draws a level, $\rho = 0.1$, two components, each level on its own
    /// draws, and 2000 final draws from the last fit without defence.
    pub fn paper() -> Self {
        Self {
            samples_per_level: 2000,
            quantile: 0.1,
            max_levels: 50,
            pooled: false,
            refinements: 0,
            while_it_pays: false,
            explore: 0.0,
            fit: MixtureFit::default().with_components(Components::Fixed(2)),
            final_stage: FinalStage::paper(2000),
        }
    }

    /// A builder that starts from the default.
    pub fn builder() -> CrossEntropyBuilder {
        CrossEntropyBuilder { method: Self::default() }
    }

    /// A builder that starts from [`paper`](Self::paper).
    pub fn paper_builder() -> CrossEntropyBuilder {
        CrossEntropyBuilder { method: Self::paper() }
    }

    /// The state before the first level, for `dim` coordinates.
    pub fn init(&self, dim: usize) -> CrossEntropyState {
        CrossEntropyState {
            pool: Pool::new(dim),
            proposal: None,
            explorer: None,
            stalled: 0,
            refined: 0,
            spread: Vec::new(),
            before: (0, 0),
            levels: Vec::new(),
            stopped: None,
            done: false,
        }
    }

    /// One level: draws, threshold and fit. A state that is done comes back unchanged.
    ///
    /// # Errors
    /// See [`Method::search`].
    pub fn step(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: CrossEntropyState,
    ) -> Result<CrossEntropyState, Error> {
        self.step_with(&self.fit, nominal, g, seed, state)
    }

    /// [`step`](Self::step) with another way to fit the next proposal.
    pub(crate) fn step_with(
        &self,
        fit: &dyn Propose,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: CrossEntropyState,
    ) -> Result<CrossEntropyState, Error> {
        if state.done {
            return Ok(state);
        }
        let level = state.levels.len();
        let n = self.samples_per_level;
        let draw_seed = rng::derive(seed, "cross-entropy draws", level as u64);
        if !self.pooled {
            state.pool = Pool::new(g.dim());
        }
        let batch = match state.proposal.take() {
            None => self.first(nominal, g, draw_seed, &mut state)?,
            Some(q) => {
                let (batch, _) = Batch::evaluate(nominal, g, &q.sample(n, draw_seed)?)?;
                state.pool.add(&batch, Some(&q))?;
                state.spread.push(spread(&batch, &q)?);
                batch
            }
        };
        Error::at_least("a level, in samples with an answer,", 1, batch.len())?;
        let threshold = if batch.failures() >= fit.enough() {
            0.0
        } else {
            lower_quantile(&batch.g, self.share(g.dim())).max(0.0)
        };
        let ln_w: Vec<f64> = state
            .pool
            .ln_weights()
            .zip(&state.pool.g)
            .map(|(w, g)| if *g <= threshold { w } else { f64::NEG_INFINITY })
            .collect();
        let fit_seed = rng::derive(seed, "cross-entropy fit", level as u64);
        let fitted = fit.propose(&state.pool, &ln_w, state.explorer.as_ref(), fit_seed)?;
        if let Some(explorer) = &mut state.explorer {
            explorer.follow(&state.pool)?;
        }
        let spent = state.before.0 + n as u64 * (level as u64 + 1);
        let pays = self.while_it_pays && self.refining_pays(&state.spread, spent);
        state.follow(fitted.mixture, threshold, self.refinements, pays)?;
        state.levels.push(LevelRecord {
            level,
            threshold,
            evaluations: n as u64,
            unknown: batch.unknown,
            failures: batch.failures(),
            ess: fitted.ess,
            components: state.proposal.as_ref().map_or(0, GaussianMixture::len),
            acceptance: None,
        });
        if !state.done {
            state.stopped = if state.stalled >= PATIENCE {
                Some(StopReason::Stalled)
            } else if level + 1 >= self.max_levels {
                Some(StopReason::Levels)
            } else if self.would_starve(spent + n as u64) {
                // A search that has reached the event and only misses refinement has converged.
                Some(if threshold > 0.0 { StopReason::Budget } else { StopReason::Converged })
            } else {
                None
            };
            state.done = state.stopped.is_some();
        }
        if let (Some(fit), Some(explorer)) = (&state.proposal, &state.explorer) {
            let share = if state.done { self.explore } else { explorer.level_share(self.explore) };
            state.proposal = Some(fit.blend(explorer.proposal(), share)?);
        }
        Ok(state)
    }

    /// Share of the draws that the next threshold keeps: more than the quantile asks for where that
    /// would leave fewer than two points a coordinate.
    fn share(&self, dim: usize) -> f64 {
        let least = (2 * dim) as f64 / self.samples_per_level as f64;
        if self.pooled { self.quantile.max(least.min(MOST_KEPT)) } else { self.quantile }
    }

    /// The first level's draws: from the nominal density, half of them from a wide Gaussian when the
    /// search explores.
    fn first(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: &mut CrossEntropyState,
    ) -> Result<Batch, Error> {
        let n = self.samples_per_level;
        let plain = if self.explore > 0.0 { n - n / 2 } else { n };
        let x = nominal.sample(plain, seed)?;
        let (mut batch, _) = Batch::evaluate(nominal, g, &x)?;
        state.pool.add(&batch, None)?;
        if self.explore > 0.0 {
            let explorer = Explorer::new(&x)?;
            let x = explorer.proposal().sample(n - plain, rng::derive(seed, "wide", 0))?;
            let (more, _) = Batch::evaluate(nominal, g, &x)?;
            state.pool.add(&more, Some(explorer.proposal()))?;
            batch.append(more);
            state.explorer = Some(explorer);
        }
        Ok(batch)
    }

    /// Whether a further level would save more final draws than it costs, judged by how the relative
    /// variance of one draw fell from level to level.
    fn refining_pays(&self, spread: &[Option<f64>], spent: u64) -> bool {
        let measured: Vec<f64> = spread.iter().copied().flatten().collect();
        let Some(last) = measured.last().copied() else { return true };
        let lowest = |of: &[f64]| of.iter().copied().fold(f64::INFINITY, f64::min);
        let (earlier, late) = measured.split_at(measured.len().saturating_sub(PATIENCE - 1));
        let next = match measured[..] {
            // Without a trend yet: what a mixture that fits well has.
            [_] => WELL_FITTED.min(last),
            [.., before, last] if last < before => (last * last / before).max(0.5 * last),
            // One level is uncertain: only several that gained nothing end it.
            _ if lowest(late) < lowest(earlier) => HOPE * last,
            _ => last,
        };
        let draws = |variance: f64, spent: u64| {
            let wanted = self.final_stage.target_cov().map_or(0.0, |t| variance / (t * t));
            let left =
                self.final_stage.budget().map_or(f64::INFINITY, |b| b.saturating_sub(spent) as f64);
            (wanted, variance / left.max(1.0))
        };
        let level = self.samples_per_level as u64;
        let (now, then) = (draws(last, spent), draws(next, spent + level));
        let enough = self.final_stage.budget().is_none_or(|b| now.0 + spent as f64 <= b as f64);
        if enough { then.0 + level as f64 <= now.0 } else { then.1 < now.1 }
    }

    /// How mixtures are fitted.
    pub(crate) fn fit(&self) -> MixtureFit {
        self.fit
    }

    /// Whether `spent` evaluations would leave less than a third of the budget to the final draws.
    fn would_starve(&self, spent: u64) -> bool {
        self.final_stage.budget().is_some_and(|budget| 3 * spent > 2 * budget)
    }
}

impl Method for CrossEntropy {
    fn search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<Search, Error> {
        EvalError::check_dim(nominal.dim(), g.dim())?;
        let mut state = self.init(g.dim());
        while !state.done {
            state = self.step(nominal, g, seed, state)?;
        }
        Ok(state.into_search().expect("a finished search has a proposal"))
    }

    fn final_stage(&self) -> &FinalStage {
        &self.final_stage
    }
}

impl Stepped for CrossEntropy {
    type Search = CrossEntropyState;

    const NAME: &'static str = "cross-entropy";

    fn init_search(&self, dim: usize) -> CrossEntropyState {
        self.init(dim)
    }

    fn step_search(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: CrossEntropyState,
    ) -> Result<CrossEntropyState, Error> {
        self.step(nominal, g, seed, state)
    }

    fn records(state: &CrossEntropyState) -> &[LevelRecord] {
        &state.levels
    }

    fn next_level(&self, _state: &CrossEntropyState) -> u64 {
        self.samples_per_level as u64
    }

    fn outcome(&self, state: CrossEntropyState) -> Result<Search, CrossEntropyState> {
        if state.done {
            Ok(state.into_search().expect("a finished search has a proposal"))
        } else {
            Err(state)
        }
    }
}

/// A cross-entropy search between two levels; its serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossEntropyState {
    pool: Pool,
    proposal: Option<GaussianMixture>,
    explorer: Option<Explorer>,
    /// Levels in a row whose threshold did not fall.
    stalled: usize,
    /// Refinement levels done.
    refined: usize,
    /// Relative variance of one draw, level by level from the second on.
    spread: Vec<Option<f64>>,
    /// Evaluations and those without an answer, spent otherwise before or between the levels.
    before: (u64, u64),
    levels: Vec<LevelRecord>,
    stopped: Option<StopReason>,
    done: bool,
}

impl CrossEntropyState {
    /// Whether the search has ended.
    pub fn done(&self) -> bool {
        self.done
    }

    /// Records of the levels so far.
    pub fn levels(&self) -> &[LevelRecord] {
        &self.levels
    }

    /// The outcome; absent before the first level.
    pub fn into_search(self) -> Option<Search> {
        let mut search = Search::of(self.proposal?, self.levels, self.stopped, None);
        search.evaluations += self.before.0;
        search.unknown += self.before.1;
        Some(search)
    }

    /// The points so far.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Counts evaluations that were spent on the search but not in its levels.
    pub(crate) fn charge(&mut self, evaluations: u64, unknown: u64) {
        self.before.0 += evaluations;
        self.before.1 += unknown;
    }

    /// Evaluations counted by [`charge`](Self::charge).
    pub(crate) fn charged(&self) -> u64 {
        self.before.0
    }

    /// Gives the mixture `seeds` a share in the next proposal.
    pub(crate) fn sow(&mut self, seeds: &GaussianMixture, share: f64) -> Result<(), Error> {
        if let (false, Some(proposal)) = (self.done, &self.proposal) {
            self.proposal = Some(proposal.blend(seeds, share)?);
        }
        Ok(())
    }

    /// Takes the next proposal and decides whether the event is reached or progress has stopped.
    fn follow(
        &mut self,
        fit: GaussianMixture,
        threshold: f64,
        refinements: usize,
        pays: bool,
    ) -> Result<(), Error> {
        let before = self.levels.last().map_or(f64::INFINITY, |l| l.threshold);
        if threshold > 0.0 {
            self.stalled = if threshold < before { 0 } else { self.stalled + 1 };
            self.proposal = Some(if self.stalled > 0 { fit.inflated(RELEASE)? } else { fit });
            return Ok(());
        }
        self.stalled = 0;
        self.proposal = Some(fit);
        let settled = self.explorer.as_ref().is_none_or(Explorer::settled);
        if self.refined >= refinements && !pays && (settled || self.refined >= refinements + WAIT) {
            self.stopped = Some(StopReason::Converged);
            self.done = true;
        }
        self.refined += 1;
        Ok(())
    }
}

/// Relative variance of one draw from `q` as an estimate of the failure probability; none without a
/// failure.
fn spread(batch: &Batch, q: &GaussianMixture) -> Result<Option<f64>, EvalError> {
    let ln_q = q.ln_pdf(batch.x.as_view())?;
    let terms = batch.g.iter().zip(&batch.ln_p).zip(&ln_q).filter(|((g, _), _)| **g <= 0.0);
    let ln_h: Vec<f64> = terms.map(|((_, p), q)| p - q).collect();
    let ess = effective_sample_size(&ln_h);
    Ok((ess > 0.0).then(|| batch.len() as f64 / ess - 1.0))
}

/// The smallest value with at least a share `rho` of the values at or below it.
fn lower_quantile(values: &[f64], rho: f64) -> f64 {
    let mut sorted = values.to_vec();
    let rank = ((rho * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1;
    *sorted.select_nth_unstable_by(rank, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_takes_enough_values() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 8.0, 7.0, 6.0, 10.0];
        assert!((lower_quantile(&values, 0.1) - 1.0).abs() < 1e-15);
        assert!((lower_quantile(&values, 0.11) - 2.0).abs() < 1e-15);
        assert!((lower_quantile(&[3.0; 4], 0.9) - 3.0).abs() < 1e-15);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        assert!(CrossEntropy::builder().quantile(1.0).build().is_err());
        assert!(CrossEntropy::builder().samples_per_level(0).build().is_err());
        assert!(CrossEntropy::builder().components(Components::Fixed(0)).build().is_err());
        assert!(CrossEntropy::paper_builder().build().is_ok());
    }
}
