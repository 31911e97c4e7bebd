//! What keeps an estimate from being trusted, and how much.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::result::estimate::StopReason;
use crate::result::text::scientific;

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
    /// The weights are not even enough for a certified estimate: an effective sample size of 200 and shares of at
    /// most 3 %.
    NotCertified {
        /// The effective sample size.
        ess: f64,
        /// The largest share of one draw.
        share: f64,
    },
    /// The chains that found the failures descend from few independent draws: they may have lost a mode.
    FewFamilies {
        /// Their effective number.
        families: f64,
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
    /// Independent runs differ by more than their own coefficients of variation allow.
    RunsDisagree {
        /// Probability of such a difference, were they right.
        p_value: f64,
    },
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
    /// The status of an estimate that nothing worse than this speaks against.
    pub(super) fn status(&self) -> Status {
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

/// Why a search ended early, in words.
fn why(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Budget => "its share of the budget was spent",
        StopReason::Levels => "the largest number of levels was reached",
        _ => "it made no progress over several levels",
    }
}

/// A factor with a digit that means something.
fn times(factor: f64) -> String {
    if factor < 1e4 { format!("{factor:.1}") } else { format!("{factor:.0e}") }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFailure => write!(f, "no failure was sampled"),
            Self::Imprecise { cov } => write!(f, "the coefficient of variation is {cov:.2}"),
            Self::Search(reason) => {
                write!(f, "the search did not reach the failure event: {}", why(*reason))
            }
            Self::HeavyTail { pareto_k } => {
                write!(f, "the weights have a heavy tail (Pareto shape {pareto_k:.2})")
            }
            Self::OneDraw { share } => {
                write!(f, "one draw contributes {:.0} % of the estimate", 100.0 * share)
            }
            Self::NotCertified { ess, share } => write!(
                f,
                "it is not certified: that takes an effective sample size of 200 (it is {ess:.0}) and no draw with more \
                 than 3 % of the estimate (one has {:.1} %); more evaluations help",
                100.0 * share
            ),
            Self::FewFamilies { families } => write!(
                f,
                "the chains that found the failures descend from {families:.0} independent draws; with fewer than 30 they \
                 may have lost a mode; more evaluations help"
            ),
            Self::FewFailures { failures } => write!(f, "only {failures} draws failed"),
            Self::NanEvaluations { share } => {
                write!(f, "{:.1} % of the evaluations gave NaN", 100.0 * share)
            }
            Self::NanBound { factor } => write!(
                f,
                "with the NaN draws counted as failing the estimate would be at least {} times as large",
                times(*factor)
            ),
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
            Self::RunsDisagree { p_value } => write!(
                f,
                "independent runs differ by more than their spread allows (probability {p_value:.1e})"
            ),
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
