//! How far an estimate can be trusted: a status, one sentence and the reasons.
//!
//! A verdict judges what the run saw: whether search and final draws reached their goals, how the
//! weights behave, how many failures there are. A failure mode that no draw came near does not
//! show in any of this; only a wider search (`explore`, more draws per level) or a second method can find it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::result::estimate::{Estimate, StopReason};
use crate::result::text::scientific;

/// Coefficient of variation above which an estimate counts as failed.
const USELESS_COV: f64 = 0.5;
/// Failures below which an estimate is suspect.
const FEW_FAILURES: u64 = 30;
/// Share of one draw in the estimate above which it is suspect.
const LARGE_SHARE: f64 = 0.2;
/// Weight of a draw at a design point, over the estimate, that the estimate's few thousand draws would
/// hardly show.
const BADLY_COVERED: f64 = 1000.0;
/// Share of NaN evaluations above which an estimate is suspect.
const MANY_NAN: f64 = 0.01;
/// Distance of the final estimate from the search's own, in units of log-probability, that no
/// product of level means reaches by chance (its standard deviation is 0.3 to 1).
const DISAGREEMENT: f64 = 3.0;

/// The status of an estimate, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Status {
    /// Target precision reached; all diagnostics passed.
    Converged,
    /// All diagnostics passed, but the budget was spent before the target precision was reached.
    Budget,
    /// All diagnostics passed, but too few outcomes reach the event, or flows of parts of the outcomes differ much there:
    /// nothing but the shape of a tail speaks for the estimate.
    Extrapolated,
    /// At least one diagnostic failed: the estimate or its interval may be wrong.
    Suspect,
    /// No usable estimate: no failure was sampled, or the coefficient of variation is above 0.5.
    Failed,
}

/// One thing that keeps a verdict from being [`Status::Converged`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reason {
    /// No failure was sampled: there is at most an upper bound.
    NoFailure,
    /// The coefficient of variation is so large that only the order of magnitude is known.
    Imprecise {
        /// The coefficient of variation.
        cov: f64,
    },
    /// The search ended before it reached the failure event.
    Search(StopReason),
    /// The weights have a heavy tail: standard error and interval are too optimistic.
    HeavyTail {
        /// Shape of the tail.
        pareto_k: f64,
    },
    /// One draw contributes much of the estimate.
    OneDraw {
        /// Its share.
        share: f64,
    },
    /// Few draws failed.
    FewFailures {
        /// How many.
        failures: u64,
    },
    /// NaN evaluations, counted as not failing.
    NanEvaluations {
        /// Their share of all evaluations.
        share: f64,
    },
    /// NaN draws, counted as failing, would raise the estimate by more than its sampling error.
    NanBound {
        /// The factor.
        #[serde(with = "crate::math::nonfinite")]
        factor: f64,
    },
    /// The search's own estimate is far from the final one: one of them has missed a mode.
    Disagreement {
        /// Difference of the log-probabilities.
        difference: f64,
    },
    /// The estimate comes from Markov chains alone: a mode that they lost would not show.
    Unverified,
    /// A draw at a design point that a start found would outweigh all others: the proposal covers it badly.
    Uncovered {
        /// Its weight over the estimate.
        #[serde(with = "crate::math::nonfinite")]
        weight: f64,
    },
    /// Random points contradict the crossings found along rays: some were missed.
    Contradicted {
        /// How many points.
        points: u64,
    },
    /// The final proposal is the fit alone, without a share of the nominal density: nothing was sampled
    /// outside it.
    Undefended,
    /// Flow and data disagree at levels between the bulk and the failure event.
    FlowContradicted {
        /// Levels of the criterion at which they disagree.
        differs: u64,
        /// Levels compared.
        levels: u64,
    },
    /// Fewer than ten outcomes reach the event.
    Extrapolated {
        /// Outcomes.
        outcomes: u64,
        /// Outcomes that reach the event.
        failures: u64,
        /// Powers of ten between the rarest supported event and the estimate.
        #[serde(with = "crate::math::nonfinite")]
        decades: f64,
    },
    /// No outcomes tell whether the event is supported by any.
    NoOutcomes,
    /// The estimate is outside the interval that the outcomes give without the flow.
    TailContradicted {
        /// Logarithm of the lower end of that interval.
        #[serde(with = "crate::math::nonfinite")]
        ln_lower: f64,
        /// Logarithm of its upper end.
        ln_upper: f64,
    },
    /// The members of the ensemble of the flow give estimates that differ much: the interval of 95 %
    /// extends by a factor of `factor` on each side.
    FlowUncertain {
        /// The factor.
        #[serde(with = "crate::math::nonfinite")]
        factor: f64,
    },
    /// The flow failed its own checks after its training: densities or weights may be wrong.
    FlowChecksFailed,
    /// The budget was spent before the target precision was reached.
    Target {
        /// The coefficient of variation reached.
        cov: f64,
    },
}

impl Reason {
    fn status(&self) -> Status {
        match self {
            Self::NoFailure | Self::Imprecise { .. } => Status::Failed,
            Self::Target { .. } => Status::Budget,
            Self::Extrapolated { .. } | Self::NoOutcomes | Self::FlowUncertain { .. } => {
                Status::Extrapolated
            }
            _ => Status::Suspect,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFailure => write!(f, "no failure was sampled"),
            Self::Imprecise { cov } => write!(f, "the coefficient of variation is {cov:.2}"),
            Self::Search(reason) => {
                let why = match reason {
                    StopReason::Budget => "its share of the budget was spent",
                    StopReason::Levels => "the largest number of levels was reached",
                    _ => "it made no progress over several levels",
                };
                write!(f, "the search did not reach the failure event: {why}")
            }
            Self::HeavyTail { pareto_k } => {
                write!(f, "the weights have a heavy tail (Pareto shape {pareto_k:.2})")
            }
            Self::OneDraw { share } => {
                write!(f, "one draw contributes {:.0} % of the estimate", 100.0 * share)
            }
            Self::FewFailures { failures } => write!(f, "only {failures} draws failed"),
            Self::NanEvaluations { share } => {
                write!(f, "{:.1} % of the evaluations gave NaN", 100.0 * share)
            }
            Self::NanBound { factor } => {
                write!(
                    f,
                    "with the NaN draws counted as failing the estimate would be {factor:.1} times as large"
                )
            }
            Self::Disagreement { difference } => write!(
                f,
                "the search's own estimate differs by a factor of {:.0}",
                difference.abs().exp()
            ),
            Self::Unverified => {
                write!(
                    f,
                    "it comes from Markov chains that no fresh draws have checked for lost modes"
                )
            }
            Self::Uncovered { weight } => write!(
                f,
                "a draw at a design point would have {weight:.0} times the weight of the whole estimate"
            ),
            Self::Contradicted { points } => {
                write!(f, "{points} random points contradict the crossings found along rays")
            }
            Self::Undefended => {
                write!(
                    f,
                    "the proposal has no share of the nominal density: regions outside the fit were not sampled"
                )
            }
            Self::FlowContradicted { differs, levels } => {
                write!(f, "flow and data disagree at {differs} of {levels} levels of the criterion")
            }
            Self::Extrapolated { outcomes, failures, decades } => {
                write!(f, "{failures} of {outcomes} outcomes reach the event")?;
                if (0.05..1e6).contains(decades) {
                    write!(
                        f,
                        ", and the estimate lies {decades:.1} powers of ten below the rarest event that ten of \
                         them reach"
                    )?;
                }
                Ok(())
            }
            Self::NoOutcomes => {
                write!(f, "no outcomes tell whether the event is within the data of the flow")
            }
            Self::TailContradicted { ln_lower, ln_upper } => write!(
                f,
                "the outcomes by themselves give {} to {}",
                scientific(*ln_lower, 1),
                scientific(*ln_upper, 1)
            ),
            Self::FlowUncertain { factor } if factor.is_finite() => {
                write!(
                    f,
                    "the members of the flow's ensemble differ: its interval spans a factor of {factor:.0}"
                )
            }
            Self::FlowUncertain { .. } => {
                write!(f, "some members of the flow's ensemble have no failure")
            }
            Self::FlowChecksFailed => write!(f, "the flow failed its checks after its training"),
            Self::Target { cov } => write!(
                f,
                "the budget was spent at a coefficient of variation of {:.1} %",
                100.0 * cov
            ),
        }
    }
}

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
            if let Some(pareto_k) = self.weights.pareto_k {
                let limit = (1.0 - 1.0 / n.log10()).min(0.7);
                note(pareto_k > limit, Reason::HeavyTail { pareto_k });
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
