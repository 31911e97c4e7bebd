//! Subset simulation with adaptive conditional sampling.
//!
//! In standard normal space, for any dimension. Thresholds $b_1 > b_2 > \dots > b_J = 0$ with $b_j$ the
//! $p_0$-quantile of $g$ at level $j$ split the rare event into frequent ones,
//!
//! $$ \hat P = p_0^{J-1} \frac{n_F}{n}. $$
//!
//! Particles below a threshold are seeds of chains with
//!
//! $$ v = \sqrt{1 - \beta^2} u + \beta z, \quad z \sim \mathcal N(0, I), \tag{7} $$
//!
//! accepted when $g(v) \le b_j$: the Gaussian cancels, so acceptance does not decay with the dimension.
//!
//! A dependable order of magnitude anywhere; where a mixture fits the failure region, the
//! importance-sampling methods are a hundred times cheaper. The coefficient of variation of one run is the larger
//! of two: the sum over the levels with the correlation within chains, and that of the numbers of failing
//! particles that descend from the independent draws of the first level. Neither sees a mode that the
//! particles of the first level do not lead to.
//!
//! With a target of the coefficient of variation, independent runs follow each other until the mean of their
//! estimates reaches it or another run does not fit into the budget. Their own coefficients of variation then
//! have a judge: that of the mean is the larger of what the runs claim and what their estimates show, and runs that
//! differ by more than they claim are a [`Reason`](crate::Reason). Runs that agree may all have lost the same mode: the
//! verdict is at best [`Suspect`](crate::Status::Suspect).
//!
//! # References
//! - S.-K. Au, J. Beck: Estimation of small failure probabilities in high dimensions by subset
//!   simulation. *Probabilistic Engineering Mechanics* 16 (2001), 263–277.
//! - I. Papaioannou, W. Betz, K. Zwirglmaier, D. Straub: MCMC algorithms for subset simulation.
//!   *Probabilistic Engineering Mechanics* 41 (2015), 89–103.
//! - A. Lee, N. Whiteley: Variance estimation in the particle filter. *Biometrika* 105 (2018), 609–625.

mod chains;
mod run;
mod runs;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::estimators::subset::run::{RunResult, RunState};
use crate::estimators::subset::runs::Runs;
use crate::math::rng;
use crate::method::stepwise::{Progress, Stepwise};
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::result::estimate::{
    Estimate, LevelRecord, SearchRecord, StopReason, Tally, WeightedSample,
};
use crate::settings::{Settings, settings};

/// Subset simulation. See the [module](self).
///
/// ```
/// use latent_is::{Estimator, FnLimitState, StandardNormal, SubsetSimulation};
///
/// let g = FnLimitState::new(50, |u: &[f64]| 3.5 - u[0]);
/// let estimate = SubsetSimulation::default().estimate(&StandardNormal::new(50), &g, 7)?;
/// assert!(estimate.interval(0.9999).contains(2.326e-4));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SubsetSimulation {
    samples_per_level: usize,
    level_probability: f64,
    max_levels: usize,
    target_cov: Option<f64>,
    budget: Option<u64>,
}

impl Default for SubsetSimulation {
    /// 2000 particles per level, $p_0 = 0.1$, at most 30 levels; one run.
    fn default() -> Self {
        Self {
            samples_per_level: 2000,
            level_probability: 0.1,
            max_levels: 30,
            target_cov: None,
            budget: None,
        }
    }
}

settings!(SubsetSimulation {
    /// Particles per level.
    samples_per_level: usize,
    /// Share $p_0$ of the particles below the next threshold.
    level_probability: f64,
    /// Largest number of levels before the run gives up.
    max_levels: usize,
    /// Runs follow each other until their mean has this coefficient of variation; `None` for one run.
    target_cov: Option<f64>,
    /// No further run begins that would be expected to exceed so many evaluations; a first run is made in any
    /// case.
    budget: Option<u64>,
});

impl Settings for SubsetSimulation {
    fn check(&self) -> Result<(), Error> {
        let n = self.samples_per_level;
        Error::check(n >= 100, "samples_per_level", "at least 100", n)?;
        let p = self.level_probability;
        Error::check((0.01..=0.5).contains(&p), "level_probability", "in [0.01, 0.5]", p)?;
        Error::check(self.max_levels >= 1, "max_levels", "at least 1", self.max_levels)?;
        let target = self.target_cov.unwrap_or(1.0);
        Error::check(target > 0.0 && target.is_finite(), "target_cov", "positive", target)
    }
}

/// Runs between two levels; the serialised form is a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubsetState {
    finished: Vec<RunResult>,
    /// The levels of all finished runs.
    levels: Vec<LevelRecord>,
    current: RunState,
    stopped: Option<StopReason>,
}

impl SubsetState {
    /// Whether the runs have ended.
    pub fn done(&self) -> bool {
        self.stopped.is_some()
    }

    /// Records of the levels so far, one run after the other.
    pub fn levels(&self) -> Vec<LevelRecord> {
        [&self.levels[..], &self.current.levels].concat()
    }

    fn evaluations(&self) -> u64 {
        let finished: u64 = self.levels.iter().map(|level| level.evaluations).sum();
        finished + self.current.evaluations()
    }
}

impl SubsetSimulation {
    /// Number of chains of a level.
    fn chains(&self) -> usize {
        ((self.level_probability * self.samples_per_level as f64).round() as usize).max(1)
    }

    /// Why no further run follows the finished ones; none when one does.
    fn stop(&self, state: &SubsetState) -> Option<StopReason> {
        let runs = Runs(&state.finished);
        let last = state.finished.last().map_or(StopReason::Levels, |run| run.stopped);
        let (StopReason::Converged, Some(target)) = (last, self.target_cov) else {
            return Some(last);
        };
        if runs.compared() && runs.cov() <= target {
            return Some(StopReason::Converged);
        }
        // The next run is expected to cost as much as those before.
        let evaluations = state.evaluations();
        let next = evaluations / state.finished.len() as u64;
        self.budget.is_some_and(|budget| evaluations + next > budget).then_some(
            if runs.cov() <= target { StopReason::Converged } else { StopReason::Budget },
        )
    }
}

/// The estimate with NaN counted as failing: the probability of a NaN is the sum over the levels of the probability
/// of the level before times the share of NaN among its candidates, which come from around that level. An
/// approximation, for the upper end of the interval.
fn worst(estimate: &Estimate, levels: &[LevelRecord], (p0, runs): (f64, usize)) -> Option<Tally> {
    let nan = estimate.counts.nan_evaluations;
    let share = |level: &LevelRecord| {
        let before = p0.powi(i32::try_from(level.level).unwrap_or(i32::MAX));
        before * level.nan_evaluations as f64 / level.evaluations.max(1) as f64
    };
    let nan_p = levels.iter().map(share).sum::<f64>() / runs.max(1) as f64;
    let pf = estimate.pf();
    let cov = (pf * if pf > 0.0 { estimate.cov } else { 0.0 }).hypot(nan_p / (nan as f64).sqrt());
    let cov = cov / (pf + nan_p);
    (nan > 0).then(|| Tally {
        ln_pf: (pf + nan_p).ln().min(0.0),
        cov,
        ess: 1.0 / (cov * cov),
        max_weight_share: 0.0,
        failures: estimate.counts.failures + nan,
    })
}

/// The estimate after the last run.
fn conclude(state: &SubsetState, p0: f64) -> Estimate {
    let runs = Runs(&state.finished);
    let (points, ln_w, draws) = runs.pooled();
    let mut estimate = Estimate::from_draws(WeightedSample { points, ln_w }, draws);
    if estimate.counts.failures > 0 {
        let cov = runs.cov();
        estimate.cov = cov;
        // As many independent failures as would give the same coefficient of variation.
        estimate.weights.ess = 1.0 / (cov * cov);
        estimate.checks.unverified = true;
        estimate.checks.runs = Some(runs.record());
    }
    let levels = state.levels();
    estimate.counts.evaluations = levels.iter().map(|l| l.evaluations).sum();
    estimate.counts.nan_evaluations = levels.iter().map(|l| l.nan_evaluations).sum();
    estimate.nan_as_failing = worst(&estimate, &levels, (p0, state.finished.len()));
    estimate.stopped = state.stopped.unwrap_or(StopReason::Levels);
    let stopped = state.finished.last().map_or(StopReason::Levels, |run| run.stopped);
    estimate.search = Some(SearchRecord { levels, stopped, ln_pf: None });
    estimate
}

impl Stepwise for SubsetSimulation {
    type State = SubsetState;

    fn name(&self) -> &'static str {
        "subset"
    }

    fn accepts(&self, nominal: &dyn Density) -> Result<(), Error> {
        StandardNormal::require(nominal, "standard normal for subset simulation")
    }

    fn init(&self, _dim: usize) -> SubsetState {
        SubsetState {
            finished: Vec::new(),
            levels: Vec::new(),
            current: RunState::new(),
            stopped: None,
        }
    }

    fn step(
        &self,
        _nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        mut state: SubsetState,
    ) -> Result<SubsetState, Error> {
        if state.done() {
            return Ok(state);
        }
        let run = state.finished.len() as u64;
        // The first run is that of the seed itself.
        let seed = if run == 0 { seed } else { rng::derive(seed, "subset run", run) };
        state.current = state.current.step(self, g, seed)?;
        if state.current.stopped.is_some() {
            state.finished.push(state.current.result(self));
            state.levels.append(&mut state.current.levels);
            state.current = RunState::new();
            state.stopped = self.stop(&state);
        }
        Ok(state)
    }

    fn progress(&self, state: &SubsetState) -> Progress {
        let runs = Runs(&state.finished);
        let known = !state.finished.is_empty() && runs.pf() > 0.0;
        Progress {
            phase: "levels",
            done: state.done(),
            evaluations: state.evaluations(),
            next: self.samples_per_level as u64,
            ln_pf: known.then(|| runs.pf().ln()),
            cov: known.then(|| runs.cov()),
            level: state.current.levels.last().or(state.levels.last()).cloned(),
        }
    }

    fn done(&self, state: &SubsetState) -> bool {
        state.done()
    }

    fn finish(&self, state: SubsetState) -> Option<Estimate> {
        // A run that was cut off says nothing; those before it do.
        (state.done() || !state.finished.is_empty())
            .then(|| conclude(&state, self.chains() as f64 / self.samples_per_level as f64))
    }
}
