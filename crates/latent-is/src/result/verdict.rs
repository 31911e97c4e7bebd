//! How far an estimate can be trusted, in one word, one sentence and the reasons.
//!
//! A verdict judges what the run saw: whether search and final draws reached their goals, how the
//! weights behave, how many failures there are. A failure mode that no draw came near leaves no trace
//! in any of this; a wider search (`explore`, more draws a level) or a second method is the only check.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::result::estimate::{Estimate, StopReason};

/// Coefficient of variation above which an estimate counts as failed.
const USELESS_COV: f64 = 0.5;
/// Failures below which an estimate is suspect.
const FEW_FAILURES: u64 = 30;
/// Share of one draw in the estimate above which it is suspect.
const LARGE_SHARE: f64 = 0.2;
/// Weight of a draw at a design point, over the estimate, that the estimate's few thousand draws would
/// hardly show.
const BADLY_COVERED: f64 = 1000.0;
/// Share of evaluations without an answer above which an estimate is suspect.
const MANY_UNKNOWN: f64 = 0.01;
/// Distance of the final estimate from the search's own, in units of log-probability, that no
/// product of level means reaches by chance (its standard deviation is 0.3 to 1).
const DISAGREEMENT: f64 = 3.0;

/// One word on an estimate, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Status {
    /// The target is met and nothing speaks against the estimate.
    Converged,
    /// Nothing speaks against the estimate, but the evaluations ran out before the target was met.
    Budget,
    /// Something speaks against the estimate or its interval.
    Suspect,
    /// There is no estimate to speak of.
    Failed,
}

/// One thing that keeps a verdict from being [`Status::Converged`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reason {
    /// No draw failed: there is at most an upper bound.
    NoFailure,
    /// The coefficient of variation leaves hardly more than an order of magnitude.
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
    /// One draw carries much of the estimate.
    OneDraw {
        /// Its share.
        share: f64,
    },
    /// Few draws failed.
    FewFailures {
        /// How many.
        failures: u64,
    },
    /// Evaluations without an answer, counted as not failing.
    Unknown {
        /// Their share of all evaluations.
        share: f64,
    },
    /// The search's own estimate is far from the final one: one of them has missed a mode.
    Disagreement {
        /// Difference of the log-probabilities.
        difference: f64,
    },
    /// The estimate comes from chains alone: a mode that they lost would leave no trace.
    Unverified,
    /// A draw at a design point that a start found would outweigh the rest: the proposal covers it badly.
    Uncovered {
        /// Its weight over the estimate.
        weight: f64,
    },
    /// Random points contradict the crossings found along rays: some were missed.
    Contradicted {
        /// How many points.
        points: u64,
    },
    /// The final proposal is the fit alone, without the nominal density: nothing looked beyond it.
    Undefended,
    /// Outcomes that the flow stands for contradict it on the way to failure.
    FlowContradicted {
        /// Levels of the criterion at which they do.
        differs: u64,
        /// Levels compared.
        levels: u64,
    },
    /// The evaluations ran out before the target was met.
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
            _ => Status::Suspect,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFailure => write!(f, "no draw failed"),
            Self::Imprecise { cov } => write!(f, "its coefficient of variation is {cov:.2}"),
            Self::Search(reason) => {
                let why = match reason {
                    StopReason::Budget => "the evaluations ran out",
                    StopReason::Levels => "the levels ran out",
                    _ => "it made no progress",
                };
                write!(f, "the search did not reach the failure event: {why}")
            }
            Self::HeavyTail { pareto_k } => {
                write!(f, "the weights have a heavy tail (Pareto shape {pareto_k:.2})")
            }
            Self::OneDraw { share } => {
                write!(f, "one draw makes up {:.0} % of it", 100.0 * share)
            }
            Self::FewFailures { failures } => write!(f, "only {failures} draws failed"),
            Self::Unknown { share } => {
                write!(f, "{:.1} % of the evaluations gave no answer", 100.0 * share)
            }
            Self::Disagreement { difference } => write!(
                f,
                "the search's own estimate differs by a factor of {:.0}",
                difference.abs().exp()
            ),
            Self::Unverified => {
                write!(f, "no fresh draws have checked its chains for a mode they lost")
            }
            Self::Uncovered { weight } => write!(
                f,
                "a draw at a design point that a start found would weigh {weight:.0} times the estimate"
            ),
            Self::Contradicted { points } => {
                write!(f, "{points} random points contradict the crossings found along rays")
            }
            Self::Undefended => {
                write!(f, "its proposal has no nominal part: no draw looked beyond the fit")
            }
            Self::FlowContradicted { differs, levels } => {
                write!(
                    f,
                    "outcomes contradict the flow at {differs} of {levels} levels of the criterion"
                )
            }
            Self::Target { cov } => write!(
                f,
                "the evaluations ran out at a coefficient of variation of {:.1} %",
                100.0 * cov
            ),
        }
    }
}

/// A judgement on an estimate. Its text is one plain sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The word.
    pub status: Status,
    /// What keeps the status from being better, the gravest first.
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
            Status::Converged => "The estimate met its target and nothing speaks against it",
            Status::Budget => "The estimate is sound but short of its target",
            Status::Suspect => "Treat the estimate with suspicion",
            Status::Failed => "There is no usable estimate",
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
        let n = self.failures as f64;
        note(self.failures == 0, Reason::NoFailure);
        if self.failures > 0 {
            note(self.cov > USELESS_COV, Reason::Imprecise { cov: self.cov });
            note(self.failures < FEW_FAILURES, Reason::FewFailures { failures: self.failures });
            let share = self.max_weight_share;
            note(share > LARGE_SHARE, Reason::OneDraw { share });
            if let Some(pareto_k) = self.pareto_k {
                let limit = (1.0 - 1.0 / n.log10()).min(0.7);
                note(pareto_k > limit, Reason::HeavyTail { pareto_k });
            }
            if let Some(ln_pf) = self.search_ln_pf {
                let difference = self.ln_pf - ln_pf;
                note(difference.abs() > DISAGREEMENT, Reason::Disagreement { difference });
            }
        }
        if let Some(reason) = self.search_stopped {
            note(reason != StopReason::Converged, Reason::Search(reason));
        }
        let share = self.nan_evaluations as f64 / self.evaluations.max(1) as f64;
        note(share > MANY_UNKNOWN, Reason::Unknown { share });
        note(self.unverified && self.failures > 0, Reason::Unverified);
        let weight = self.starts.and_then(|starts| starts.heaviest).unwrap_or(0.0);
        note(weight > BADLY_COVERED, Reason::Uncovered { weight });
        let points = self.contradicted;
        note(points > 0, Reason::Contradicted { points });
        let undefended = self.proposal.as_ref().is_some_and(|p| p.nominal_share <= 0.0);
        note(undefended && self.failures > 0, Reason::Undefended);
        let short = self.stopped == StopReason::Budget && self.failures > 0;
        let searched = self.search_stopped.is_none_or(|s| s == StopReason::Converged);
        note(short && searched, Reason::Target { cov: self.cov });
        Verdict::new(reasons)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::monte_carlo::MonteCarlo;
    use crate::method::search_method::Method;
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
        assert_eq!(failed.to_string(), "There is no usable estimate: no draw failed.");
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
}
