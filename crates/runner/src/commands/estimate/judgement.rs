//! The verdict on an estimate, with what ensemble and outcomes say about the flow.

use latent_is::{Ensemble, Estimate, Reason, Support, Verdict};

use crate::estimation::agreement::Agreement;

/// Confidence of the intervals from the outcomes alone and from the flow that must overlap.
pub(super) const OUTCOMES_CONFIDENCE: f64 = 0.99;

/// The verdict. `healthy` is whether the flow passed its own checks.
pub(super) fn judge(
    estimate: &Estimate,
    ensemble: Option<&Ensemble>,
    agreement: Option<&Agreement>,
    support: Option<&Support>,
    healthy: bool,
) -> Verdict {
    let supported = support.is_some_and(Support::is_supported);
    let beyond = match support {
        // Whether the outcomes contradict a supported event is seen in the levels.
        Some(_) if supported => None,
        Some(support) => support.reason(estimate.ln_pf, &estimate.interval(OUTCOMES_CONFIDENCE)),
        None => Some(Reason::NoOutcomes),
    };
    [
        ensemble.filter(|_| !supported).and_then(|ensemble| ensemble.reason(estimate.ln_pf)),
        agreement.and_then(Agreement::reason),
        beyond,
        (!healthy).then_some(Reason::FlowChecksFailed),
    ]
    .into_iter()
    .flatten()
    .fold(estimate.verdict(), Verdict::with)
}
