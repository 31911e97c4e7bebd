//! The result: a failure probability with what is needed to judge it.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::math::special::ln_sum_exp;
use crate::mixture::defensive::Proposal;
use crate::result::diagnostics::{effective_sample_size, max_weight_share, pareto_k};

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// It reached what it was asked for: the failure event, the target, the number of draws.
    Converged,
    /// The search reached its largest number of levels.
    Levels,
    /// The evaluations ran out.
    Budget,
    /// The search made no progress over several levels.
    Stalled,
}

/// What one level of a search did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelRecord {
    /// Number of the level, from zero.
    pub level: usize,
    /// Threshold of `g` (cross-entropy) or width of the smoothed indicator (sequential) that the
    /// level's fit aims at.
    pub threshold: f64,
    /// Evaluations of the level.
    pub evaluations: u64,
    /// NaN evaluations.
    pub nan_evaluations: u64,
    /// Failures among the level's draws.
    pub failures: u64,
    /// Effective size of the weights behind the level's fit.
    pub ess: f64,
    /// Components of the fitted mixture.
    pub components: usize,
    /// Share of accepted moves, for methods that have any.
    pub acceptance: Option<f64>,
}

/// Failing draws with their log-weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightedSample {
    /// The points, `[d, m]`.
    pub points: DMatrix<f64>,
    /// $\log p - \log q$ of each, `[m]`.
    pub ln_w: DVector<f64>,
}

/// What independent weighted draws say, without the draws themselves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Natural logarithm of the estimate; minus infinity without a failure.
    #[serde(with = "crate::math::nonfinite")]
    pub ln_pf: f64,
    /// Coefficient of variation of the estimate; infinite without a failure.
    #[serde(with = "crate::math::nonfinite")]
    pub cov: f64,
    /// Effective sample size of the failing draws.
    pub ess: f64,
    /// Largest share of one draw in the estimate.
    pub max_weight_share: f64,
    /// Number of failing draws.
    pub failures: u64,
}

impl Tally {
    /// The estimate (1) from `draws` draws whose nonzero terms have the logarithms `ln_h`.
    pub(crate) fn new(ln_h: &[f64], draws: u64) -> Self {
        let n = draws as f64;
        let ess = effective_sample_size(ln_h);
        // Var(h) / (n mean(h)^2), with the divisor n - 1.
        let cov = if ess > 0.0 {
            ((n / ess - 1.0).max(0.0) / (n - 1.0).max(1.0)).sqrt()
        } else {
            f64::INFINITY
        };
        Self {
            // Weighted counts can exceed the number of draws; a probability cannot exceed one.
            ln_pf: (ln_sum_exp(ln_h) - n.ln()).min(0.0),
            cov,
            ess,
            max_weight_share: max_weight_share(ln_h),
            failures: ln_h.len() as u64,
        }
    }
}

/// What several starts of a search for design points led to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StartsRecord {
    /// Starts.
    pub starts: usize,
    /// Starts that converged.
    pub converged: usize,
    /// Distinct points that they converged to.
    pub distinct: usize,
    /// Largest weight that a draw at one of these points would have, over the estimate: how badly the
    /// final proposal covers what the starts found. Absent without a point or an estimate, and above
    /// twenty coordinates, where draws lie far from the point nearest to the origin.
    pub heaviest: Option<f64>,
}

/// How well independent runs agree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunsRecord {
    /// Runs.
    pub runs: usize,
    /// Probability that runs whose own coefficients of variation are right differ by at least so much.
    pub p_value: f64,
}

/// How many draws and evaluations an estimate rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Fresh draws behind the estimate.
    pub draws: u64,
    /// Failures among them.
    pub failures: u64,
    /// Every evaluation of the limit state, those of the search included.
    pub evaluations: u64,
    /// Evaluations of a surrogate limit state, where the search ran on one.
    pub surrogate_evaluations: u64,
    /// NaN evaluations, counted as not failing; with any among the fresh draws, the estimate is a lower
    /// bound.
    pub nan_evaluations: u64,
}

/// What the weights of the failing draws say about the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Effective sample size of the failing draws.
    pub ess: f64,
    /// Shape of the tail of the weights, see [`pareto_k`].
    pub pareto_k: Option<f64>,
    /// Largest share of one draw in the estimate.
    pub max_share: f64,
}

/// The search behind an estimate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchRecord {
    /// One record per level, in order.
    pub levels: Vec<LevelRecord>,
    /// Why the search ended.
    pub stopped: StopReason,
    /// Logarithm of the probability by the search itself, for methods that have one.
    pub ln_pf: Option<f64>,
}

/// Findings of an estimator about its own result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Checks {
    /// Whether the estimate comes from correlated chains that no fresh draws have checked.
    pub unverified: bool,
    /// Number of random points that contradict what a search along rays found.
    pub contradicted: u64,
    /// What the starts of a search for design points led to, for methods that have any.
    pub starts: Option<StartsRecord>,
    /// Effective number of independent draws that the chains behind a certified estimate descend from, the smallest
    /// of all modes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub families: Option<f64>,
    /// How well independent runs agree, for methods that make any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<RunsRecord>,
}

/// One failure mode in an estimate of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModeRecord {
    /// Natural logarithm of its probability; minus infinity when no draw failed in it.
    #[serde(with = "crate::math::nonfinite")]
    pub ln_pf: f64,
    /// Coefficient of variation; infinite when no draw failed in it.
    #[serde(with = "crate::math::nonfinite")]
    pub cov: f64,
    /// Logarithm of the probability by the search for it, where that arrived.
    pub ln_pf_search: Option<f64>,
}

/// A failure probability with what is needed to judge it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Estimate {
    /// Natural logarithm of the failure probability; minus infinity when no failure was drawn, and
    /// then only the upper end of [`interval`](Self::interval) says anything.
    #[serde(with = "crate::math::nonfinite")]
    pub ln_pf: f64,
    /// Coefficient of variation of the estimator; infinite when no failure was drawn.
    #[serde(with = "crate::math::nonfinite")]
    pub cov: f64,
    /// Draws, failures and evaluations.
    pub counts: Counts,
    /// The weights of the failing draws.
    pub weights: Weights,
    /// The same estimate with every NaN draw counted as failing; absent without NaN draws. The upper end
    /// of [`interval`](Self::interval) is that of this estimate.
    pub nan_as_failing: Option<Tally>,
    /// The search for a proposal, for methods that have one, or the levels of subset simulation.
    pub search: Option<SearchRecord>,
    /// What the estimator found out about its own result.
    pub checks: Checks,
    /// Why the run ended; anything but [`StopReason::Converged`] calls for a closer look.
    pub stopped: StopReason,
    /// What the fresh draws came from; absent for crude Monte Carlo.
    pub proposal: Option<Proposal>,
    /// The failure modes, where the limit state tells several apart and the estimator asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modes: Vec<ModeRecord>,
    /// The failing draws.
    pub sample: WeightedSample,
}

impl Estimate {
    /// The estimate (1) from `draws` independent draws of which the failing ones are `sample`.
    pub(crate) fn from_draws(sample: WeightedSample, draws: u64) -> Self {
        let ln_h = sample.ln_w.as_slice();
        let tally = Tally::new(ln_h, draws);
        Self {
            ln_pf: tally.ln_pf,
            cov: tally.cov,
            counts: Counts {
                draws,
                failures: tally.failures,
                evaluations: draws,
                ..Counts::default()
            },
            weights: Weights {
                ess: tally.ess,
                pareto_k: pareto_k(ln_h),
                max_share: tally.max_weight_share,
            },
            nan_as_failing: None,
            search: None,
            checks: Checks::default(),
            stopped: StopReason::Converged,
            proposal: None,
            modes: Vec::new(),
            sample,
        }
    }

    /// The failure probability; zero when no failure was drawn or it underflows.
    pub fn pf(&self) -> f64 {
        self.ln_pf.exp()
    }

    /// Records of the levels of the search, in order; empty without a search.
    pub fn levels(&self) -> &[LevelRecord] {
        self.search.as_ref().map_or(&[], |search| &search.levels)
    }
}
