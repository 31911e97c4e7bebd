//! The result: a failure probability with what is needed to judge it.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Gamma, StudentsT};

use crate::diagnostics::{effective_sample_size, max_weight_share, pareto_k};
use crate::final_stage::Proposal;
use crate::special::ln_sum_exp;

/// Failures below which an interval comes from the gamma law instead of the log-normal one.
const FEW_FAILURES: u64 = 30;

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
    /// Evaluations without an answer (NaN).
    pub unknown: u64,
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

/// A failure probability with what is needed to judge it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Estimate {
    /// Natural logarithm of the failure probability; minus infinity when no failure was drawn, and
    /// then only the upper end of [`interval`](Self::interval) says anything.
    #[serde(with = "crate::nonfinite")]
    pub log_pf: f64,
    /// Coefficient of variation of the estimator; infinite when no failure was drawn.
    #[serde(with = "crate::nonfinite")]
    pub cov: f64,
    /// Effective sample size of the failing draws.
    pub ess: f64,
    /// Shape of the tail of the weights, see [`pareto_k`].
    pub pareto_k: Option<f64>,
    /// Largest share of one draw in the estimate.
    pub max_weight_share: f64,
    /// Fresh draws behind the estimate.
    pub draws: u64,
    /// Failures among them.
    pub failures: u64,
    /// Every evaluation of the limit state, search included.
    pub evaluations: u64,
    /// Evaluations of a surrogate limit state, where the search ran on one.
    pub surrogate_evaluations: u64,
    /// Evaluations without an answer (NaN), counted as not failing; with any, the estimate is a
    /// lower one.
    pub unknown: u64,
    /// One record a level of the search, in order.
    pub levels: Vec<LevelRecord>,
    /// Why the run ended; anything but [`StopReason::Converged`] calls for a closer look.
    pub stopped: StopReason,
    /// Why the search ended, for methods that search.
    pub search_stopped: Option<StopReason>,
    /// Logarithm of the probability by the search itself, for methods that have one.
    pub search_log_pf: Option<f64>,
    /// What the fresh draws came from; absent for crude Monte Carlo.
    pub proposal: Option<Proposal>,
    /// The failing draws.
    pub sample: WeightedSample,
}

/// How an interval was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum IntervalKind {
    /// Log-normal, by the sample variance and a quantile of Student's t.
    LogNormal,
    /// Gamma, for few failures; exact for equal weights.
    Gamma,
    /// No failure was drawn: an upper bound that draws from the nominal density support.
    UpperBound,
    /// No failure was drawn and nothing bounds the probability: $[0, 1]$.
    Vacuous,
}

/// A confidence interval for the failure probability, in logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Logarithm of the lower end.
    #[serde(with = "crate::nonfinite")]
    pub log_lower: f64,
    /// Logarithm of the upper end.
    pub log_upper: f64,
    /// How it was made.
    pub kind: IntervalKind,
}

impl Interval {
    /// Lower end.
    pub fn lower(&self) -> f64 {
        self.log_lower.exp()
    }

    /// Upper end.
    pub fn upper(&self) -> f64 {
        self.log_upper.exp()
    }

    /// Whether the probability `pf` lies between the ends.
    pub fn contains(&self, pf: f64) -> bool {
        (self.log_lower..=self.log_upper).contains(&pf.ln())
    }
}

impl Estimate {
    /// The estimate (1) from `draws` independent draws of which the failing ones are `sample`.
    pub(crate) fn from_draws(sample: WeightedSample, draws: u64) -> Self {
        let ln_h = sample.ln_w.as_slice();
        let n = draws as f64;
        let ess = effective_sample_size(ln_h);
        // Var(h) / (n mean(h)^2), with the divisor n - 1.
        let cov = if ess > 0.0 {
            ((n / ess - 1.0).max(0.0) / (n - 1.0).max(1.0)).sqrt()
        } else {
            f64::INFINITY
        };
        Self {
            log_pf: ln_sum_exp(ln_h) - n.ln(),
            cov,
            ess,
            pareto_k: pareto_k(ln_h),
            max_weight_share: max_weight_share(ln_h),
            draws,
            failures: ln_h.len() as u64,
            evaluations: draws,
            surrogate_evaluations: 0,
            unknown: 0,
            levels: Vec::new(),
            stopped: StopReason::Converged,
            search_stopped: None,
            search_log_pf: None,
            proposal: None,
            sample,
        }
    }

    /// The failure probability; zero when no failure was drawn or it underflows.
    pub fn pf(&self) -> f64 {
        self.log_pf.exp()
    }

    /// A two-sided confidence interval.
    ///
    /// With at least 30 failures it is log-normal,
    /// $\log P \in \log \hat P \pm t_{n-1} \sqrt{\log(1 + \delta^2)}$. With fewer it is the gamma
    /// interval for weighted counts of Fay and Feuer, which takes the largest weight seen as the
    /// weight that the next failure could have and equals the exact Poisson interval when all
    /// weights are equal. Without a failure, only draws from the nominal density bound the
    /// probability: with a share $a$ of them in $n$ draws, by $-\log(1 - c) / (a n)$.
    ///
    /// # Panics
    /// When `confidence` does not lie in (0, 1).
    ///
    /// # References
    /// - M. Fay, E. Feuer: Confidence intervals for directly standardized rates: a method based on
    ///   the gamma distribution. *Statistics in Medicine* 16 (1997), 791–801.
    pub fn interval(&self, confidence: f64) -> Interval {
        assert!(confidence > 0.0 && confidence < 1.0, "confidence must lie in (0, 1)");
        let tail = 0.5 * (1.0 - confidence);
        if self.failures == 0 {
            return self.upper_bound(confidence);
        }
        let (log_lower, log_upper, kind) = if self.failures < FEW_FAILURES {
            let share = self.max_weight_share;
            let lower = gamma_quantile(self.ess, tail) / self.ess;
            let spread = 1.0 / self.ess + share * share;
            let shape = (1.0 + share).powi(2) / spread;
            let upper = spread / (1.0 + share) * gamma_quantile(shape, 1.0 - tail);
            (self.log_pf + lower.ln(), self.log_pf + upper.ln(), IntervalKind::Gamma)
        } else {
            let t = StudentsT::new(0.0, 1.0, (self.draws - 1) as f64)
                .expect("there are at least 30 draws")
                .inverse_cdf(1.0 - tail);
            let half = t * (self.cov * self.cov).ln_1p().sqrt();
            (self.log_pf - half, self.log_pf + half, IntervalKind::LogNormal)
        };
        Interval { log_lower, log_upper: log_upper.min(0.0), kind }
    }

    fn upper_bound(&self, confidence: f64) -> Interval {
        let nominal = self.proposal.as_ref().map_or(1.0, |p| p.nominal_share) * self.draws as f64;
        let bound = -(1.0 - confidence).ln() / nominal;
        let (log_upper, kind) = if bound < 1.0 {
            (bound.ln(), IntervalKind::UpperBound)
        } else {
            (0.0, IntervalKind::Vacuous)
        };
        Interval { log_lower: f64::NEG_INFINITY, log_upper, kind }
    }
}

/// Quantile of the gamma law with unit scale.
fn gamma_quantile(shape: f64, p: f64) -> f64 {
    Gamma::new(shape, 1.0).expect("the shape is positive").inverse_cdf(p)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal_weights(failures: usize, draws: u64) -> Estimate {
        let sample =
            WeightedSample { points: DMatrix::zeros(1, failures), ln_w: DVector::zeros(failures) };
        Estimate::from_draws(sample, draws)
    }

    #[test]
    fn equal_weights_give_the_binomial_coefficient_of_variation() {
        let e = equal_weights(100, 10_000);
        assert!((e.pf() - 0.01).abs() < 1e-15);
        let expected = (0.99 / 0.01 / 9_999.0_f64).sqrt();
        assert!((e.cov - expected).abs() < 1e-12);
        let i = e.interval(0.95);
        assert_eq!(i.kind, IntervalKind::LogNormal);
        assert!(i.contains(0.01) && !i.contains(0.0125) && !i.contains(0.0075));
    }

    #[test]
    fn few_failures_give_the_exact_poisson_interval() {
        // Exact 95 % limits of a Poisson mean with 5 events: 1.6235 and 11.6683 (Garwood 1936).
        let i = equal_weights(5, 1000).interval(0.95);
        assert_eq!(i.kind, IntervalKind::Gamma);
        assert!((i.lower() * 1000.0 - 1.6235).abs() < 1e-3, "{}", i.lower());
        assert!((i.upper() * 1000.0 - 11.6683).abs() < 1e-3, "{}", i.upper());
    }

    #[test]
    fn no_failure_gives_an_upper_bound_never_a_silent_zero() {
        let e = equal_weights(0, 1000);
        assert!(e.log_pf == f64::NEG_INFINITY && e.cov == f64::INFINITY);
        let i = e.interval(0.95);
        assert_eq!(i.kind, IntervalKind::UpperBound);
        assert!((i.upper() - 3.0 / 1000.0).abs() < 1e-5 && i.lower() == 0.0);
        let text = serde_json::to_string(&e).unwrap();
        assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), e);
    }
}
