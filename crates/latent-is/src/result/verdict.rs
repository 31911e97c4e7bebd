//! How far an estimate can be trusted: a status, one sentence and the reasons.
//!
//! A verdict judges what the run saw: whether search and final draws reached their goals, how the
//! weights behave, how many failures there are. A failure mode that no draw came near does not
//! show in any of this; only a wider search (`explore`, more draws per level) or a second method can find it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::result::estimate::{Estimate, StopReason};

pub use crate::result::reason::{Reason, Status};

/// Coefficient of variation above which an estimate counts as failed.
const USELESS_COV: f64 = 0.5;
/// Failures below which an estimate is suspect.
const FEW_FAILURES: u64 = 30;
/// Share of one draw in the estimate above which it is suspect.
const LARGE_SHARE: f64 = 0.2;
/// Effective share of the failures above which their weights are even: the shape is then that of a few points a
/// little above the others, and says nothing about the standard error. (Under a proposal that fits, weights differ by
/// so little that the fitted shape is any number.)
const EVEN: f64 = 0.8;
/// Weight of a draw at a design point, over the estimate, that the estimate's few thousand draws would
/// hardly show.
const BADLY_COVERED: f64 = 1000.0;
/// Effective sample size of a certified estimate, at least.
pub(crate) const CERTIFIED_ESS: f64 = 200.0;
/// Share of one draw in a certified estimate, at most.
pub(crate) const CERTIFIED_SHARE: f64 = 0.03;
/// Independent draws behind its chains, at least: a mode with a share of 10 % that chains reach as well as the others has
/// none of thirty with a probability of 4 %.
const CERTIFIED_FAMILIES: f64 = 30.0;
/// Share of NaN evaluations above which an estimate is suspect.
const MANY_NAN: f64 = 0.01;
/// Distance of the final estimate from the search's own, in units of log-probability, that no
/// product of level means reaches by chance (its standard deviation is 0.3 to 1).
const DISAGREEMENT: f64 = 3.0;
/// Probability of a difference of independent runs below which they disagree.
const DISAGREE: f64 = 0.01;

/// A judgement on an estimate. Its text is one plain sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The status.
    pub status: Status,
    /// What keeps the status from being better, the most serious first.
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// The verdict of these reasons, in any order.
    pub fn new(mut reasons: Vec<Reason>) -> Self {
        reasons.sort_by_key(|r| std::cmp::Reverse(r.status()));
        let status = reasons.first().map_or(Status::Converged, Reason::status);
        Self { status, reasons }
    }

    /// The verdict with a reason from outside the run.
    #[must_use]
    pub fn with(mut self, reason: Reason) -> Self {
        self.reasons.push(reason);
        Self::new(self.reasons)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.status {
            Status::Converged => "Target precision reached; all diagnostics passed",
            Status::Budget => "All diagnostics passed, but the target precision was not reached",
            Status::Extrapolated => "All diagnostics passed, but the estimate is an extrapolation",
            Status::Suspect => "At least one diagnostic failed",
            Status::Failed => "No usable estimate",
        })?;
        for (i, reason) in self.reasons.iter().enumerate() {
            write!(f, "{} {reason}", if i == 0 { ":" } else { ";" })?;
        }
        f.write_str(".")
    }
}

impl Estimate {
    /// Judges the estimate.
    pub fn verdict(&self) -> Verdict {
        let mut reasons = Vec::new();
        let mut note = |holds: bool, reason: Reason| {
            if holds {
                reasons.push(reason);
            }
        };
        let (counts, checks) = (&self.counts, &self.checks);
        let n = counts.failures as f64;
        note(counts.failures == 0, Reason::NoFailure);
        if counts.failures > 0 {
            note(self.cov > USELESS_COV, Reason::Imprecise { cov: self.cov });
            let failures = counts.failures;
            note(failures < FEW_FAILURES, Reason::FewFailures { failures });
            let share = self.weights.max_share;
            note(share > LARGE_SHARE, Reason::OneDraw { share });
            let ess = self.weights.ess;
            if checks.families.is_some() {
                let even = ess >= CERTIFIED_ESS && share <= CERTIFIED_SHARE;
                note(!even, Reason::NotCertified { ess, share });
            }
            let families = checks.families.unwrap_or(f64::INFINITY);
            note(families < CERTIFIED_FAMILIES, Reason::FewFamilies { families });
            if let Some(pareto_k) = self.weights.pareto_k {
                let limit = (1.0 - 1.0 / n.log10()).min(0.7);
                let even = self.weights.ess > EVEN * n;
                note(pareto_k > limit && !even, Reason::HeavyTail { pareto_k });
            }
            if let Some(ln_pf) = self.search.as_ref().and_then(|search| search.ln_pf) {
                let difference = self.ln_pf - ln_pf;
                note(difference.abs() > DISAGREEMENT, Reason::Disagreement { difference });
            }
        }
        let searched = self.search.as_ref().map_or(StopReason::Converged, |search| search.stopped);
        note(searched != StopReason::Converged, Reason::Search(searched));
        let share = counts.nan_evaluations as f64 / counts.evaluations.max(1) as f64;
        note(share > MANY_NAN, Reason::NanEvaluations { share });
        if let Some(worst) = self.nan_as_failing.filter(|_| counts.failures > 0) {
            let factor = (worst.ln_pf - self.ln_pf).exp();
            note(factor > 1.0 + 2.0 * self.cov, Reason::NanBound { factor });
        }
        note(checks.unverified && counts.failures > 0, Reason::Unverified);
        let p_value = checks.runs.map_or(1.0, |runs| runs.p_value);
        note(p_value < DISAGREE, Reason::RunsDisagree { p_value });
        let weight = checks.starts.and_then(|starts| starts.heaviest).unwrap_or(0.0);
        note(weight > BADLY_COVERED, Reason::Uncovered { weight });
        let points = checks.contradicted;
        note(points > 0, Reason::Contradicted { points });
        let undefended = self.proposal.as_ref().is_some_and(|p| p.nominal_share <= 0.0);
        note(undefended && counts.failures > 0, Reason::Undefended);
        let short = self.stopped == StopReason::Budget && counts.failures > 0;
        note(short && searched == StopReason::Converged, Reason::Target { cov: self.cov });
        Verdict::new(reasons)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::monte_carlo::MonteCarlo;
    use crate::method::estimator::Estimator;
    use crate::model::density::StandardNormal;
    use crate::model::limit_state::{FnLimitState, LimitState};
    use crate::result::estimate::WeightedSample;

    fn monte_carlo(beta: f64, budget: u64) -> Verdict {
        let g = FnLimitState::new(1, move |x: &[f64]| beta - x[0]);
        let method = MonteCarlo::builder().budget(budget).build().unwrap();
        method.estimate(&StandardNormal::new(g.dim()), &g, 1).unwrap().verdict()
    }

    #[test]
    fn the_word_follows_the_gravest_reason() {
        assert_eq!(monte_carlo(1.0, 1_000_000).status, Status::Converged);
        assert_eq!(monte_carlo(2.0, 10_000).status, Status::Budget);
        assert_eq!(monte_carlo(3.0, 10_000).status, Status::Suspect);
        let failed = monte_carlo(9.0, 10_000);
        assert_eq!(failed.status, Status::Failed);
        assert_eq!(failed.to_string(), "No usable estimate: no failure was sampled.");
    }

    /// Weights between 1 and 1.1, but for a tail of a Pareto distribution with shape 1 that is 1 % high.
    #[test]
    fn the_tail_of_even_weights_is_no_reason() {
        let estimate = |height: f64| {
            let ln_w = |i: usize| {
                let tail = 1_000 / (i + 1);
                (1.0 + height * (tail as f64 - 1.0)).ln()
            };
            let ln_w = nalgebra::DVector::from_fn(1_000, |i, _| ln_w(i) - 10.0);
            let points = nalgebra::DMatrix::zeros(1, 1_000);
            Estimate::from_draws(WeightedSample { points, ln_w }, 2_000)
        };
        let heavy = |e: &Estimate| {
            e.verdict().reasons.iter().any(|r| matches!(r, Reason::HeavyTail { .. }))
        };
        let (even, uneven) = (estimate(1e-3), estimate(1.0));
        assert!(even.weights.pareto_k.unwrap() > 0.7 && even.weights.ess > 800.0 && !heavy(&even));
        assert!(uneven.weights.pareto_k.unwrap() > 0.7 && heavy(&uneven));
    }

    #[test]
    fn a_reason_from_outside_takes_its_place() {
        let doubt = Reason::FlowContradicted { differs: 2, levels: 6 };
        let verdict = monte_carlo(2.0, 10_000).with(doubt);
        assert_eq!((verdict.status, verdict.reasons[0]), (Status::Suspect, doubt));
        assert!(verdict.to_string().contains("at 2 of 6 levels"), "{verdict}");
        assert_eq!(monte_carlo(9.0, 10_000).with(doubt).status, Status::Failed);
    }

    #[test]
    fn a_search_that_never_arrives_is_named() {
        let g = FnLimitState::new(2, |x: &[f64]| 7.5 - x[0]);
        let method = crate::CrossEntropy::builder().explore(0.0).max_levels(2).build().unwrap();
        let estimate = method.estimate(&StandardNormal::new(2), &g, 1).unwrap();
        let verdict = estimate.verdict();
        assert!(verdict.status >= Status::Suspect);
        assert!(verdict.reasons.contains(&Reason::Search(StopReason::Levels)), "{verdict}");
    }

    #[test]
    fn infinite_numbers_in_reasons_survive_json() {
        let reasons = vec![
            Reason::Extrapolated { outcomes: 10, failures: 0, decades: f64::INFINITY },
            Reason::NanBound { factor: f64::INFINITY },
            Reason::Uncovered { weight: f64::INFINITY },
            Reason::TailContradicted { ln_lower: f64::NEG_INFINITY, ln_upper: -3.0 },
        ];
        let text = serde_json::to_string(&reasons).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Reason>>(&text).unwrap(), reasons);
    }
}
