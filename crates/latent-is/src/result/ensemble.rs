//! The error of a surrogate in the interval: what an ensemble of surrogates says.
//!
//! An estimate under a flow has the error of the search, which its own interval covers, and that of the flow,
//! which comes from the outcomes that the flow was trained on and from its training. Members of an
//! ensemble, trained in the same way on random halves of the outcomes, differ from the flow by about as much as the
//! flow differs from what infinitely many outcomes would give:
//!
//! $$ s^2 = \frac1K \sum_{k=1}^K (\ln P_k - \ln P)^2, \qquad \ln P \pm t_K(\alpha) s, \tag{1} $$
//!
//! with the quantile $t_K(\alpha)$ of Student's t distribution with $K$ degrees of freedom. The noise of the
//! searches is part of $s$. A bias that all members share is not: outcomes show it, see
//! [`Support`](crate::Support).

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::error::Error;
use crate::result::estimate::Estimate;
use crate::result::interval::{Interval, IntervalKind};
use crate::result::reason::Reason;

/// Confidence of the interval whose width is judged.
const CONFIDENCE: f64 = 0.95;
/// Largest ratio of an end of that interval to the estimate.
const LARGEST_FACTOR: f64 = 3.0;

/// The estimate under one member.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberEstimate {
    /// Logarithm of the failure probability; minus infinity when no failure was drawn.
    #[serde(with = "crate::math::nonfinite")]
    pub ln_pf: f64,
    /// Coefficient of variation of the search.
    #[serde(with = "crate::math::nonfinite")]
    pub cov: f64,
}

/// Estimates of one failure probability under the members of an ensemble of surrogates.
///
/// ```
/// use latent_is::{Ensemble, MemberEstimate};
///
/// // Five flows of halves of the outcomes, and the flow of all outcomes with P = 1e-3.
/// let members = [1.1e-3, 0.9e-3, 1.3e-3, 1e-3, 0.8e-3_f64];
/// let members = members.map(|pf| MemberEstimate { ln_pf: pf.ln(), cov: 0.03 });
/// let interval = Ensemble::new(members.to_vec())?.interval(1e-3_f64.ln(), 0.95);
/// assert!((interval.lower() - 6.52e-4).abs() < 1e-6 && (interval.upper() - 1.534e-3).abs() < 2e-6);
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ensemble {
    members: Vec<MemberEstimate>,
}

impl Ensemble {
    /// These estimates, one per member.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer than two members.
    pub fn new(members: Vec<MemberEstimate>) -> Result<Self, Error> {
        Error::at_least("an ensemble", 2, members.len())?;
        Ok(Self { members })
    }

    /// The estimates under the members.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(estimates: &[Estimate]) -> Result<Self, Error> {
        let member = |e: &Estimate| MemberEstimate { ln_pf: e.ln_pf, cov: e.cov };
        Self::new(estimates.iter().map(member).collect())
    }

    /// The estimates, one per member.
    pub fn members(&self) -> &[MemberEstimate] {
        &self.members
    }

    /// The interval (1) around the estimate `exp(ln_pf)` under the surrogate of all outcomes.
    ///
    /// A member without a failure leaves no lower end. If no member has a failure, or the surrogate itself has none,
    /// nothing bounds the probability.
    ///
    /// # Panics
    /// When `confidence` does not lie in (0, 1).
    pub fn interval(&self, ln_pf: f64, confidence: f64) -> Interval {
        assert!(confidence > 0.0 && confidence < 1.0, "confidence must lie in (0, 1)");
        let squares: Vec<f64> = self
            .members
            .iter()
            .filter(|member| member.ln_pf.is_finite())
            .map(|member| (member.ln_pf - ln_pf).powi(2))
            .collect();
        if squares.is_empty() || !ln_pf.is_finite() {
            let kind = IntervalKind::Vacuous;
            return Interval { ln_lower: f64::NEG_INFINITY, ln_upper: 0.0, kind };
        }
        let k = squares.len() as f64;
        let s = (squares.iter().sum::<f64>() / k).sqrt();
        let t = StudentsT::new(0.0, 1.0, k).expect("there is a member");
        let half = t.inverse_cdf(0.5 + 0.5 * confidence) * s;
        let complete = squares.len() == self.members.len();
        Interval {
            ln_lower: if complete { ln_pf - half } else { f64::NEG_INFINITY },
            ln_upper: (ln_pf + half).min(0.0),
            kind: IntervalKind::Ensemble,
        }
    }

    /// The reason for the verdict on the estimate `exp(ln_pf)`, if its interval of 95 % reaches beyond a factor of three. It
    /// does not matter where outcomes support the event, and agree with the estimate.
    pub fn reason(&self, ln_pf: f64) -> Option<Reason> {
        let interval = self.interval(ln_pf, CONFIDENCE);
        let factor = (ln_pf - interval.ln_lower).exp();
        (ln_pf.is_finite() && factor > LARGEST_FACTOR).then_some(Reason::FlowUncertain { factor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;
    use crate::result::verdict::{Status, Verdict};

    fn ensemble(ln_pf: &[f64]) -> Ensemble {
        let member = |ln_pf: &f64| MemberEstimate { ln_pf: *ln_pf, cov: 0.03 };
        Ensemble::new(ln_pf.iter().map(member).collect()).unwrap()
    }

    /// The logarithm of the mean of n exponential numbers, with five random halves: the interval of 95 % holds the true
    /// value 0 in 95 % of the samples as far as the halves are independent. They share the outcomes, so it is a little
    /// less; at a coverage of 92 %, fewer than 437 of 500 have a probability below 1e-3 (binomial).
    #[test]
    fn halves_of_the_outcomes_have_the_spread_of_the_estimate() {
        let (n, trials) = (200, 500);
        let z = rng::standard_normal(2 * n, trials, 8);
        let mut covered = 0;
        for (trial, z) in z.column_iter().enumerate() {
            let x: Vec<f64> = z
                .as_slice()
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[a, b]| 0.5 * (a * a + b * b))
                .collect();
            let ln_mean = |order: &[usize]| {
                (order.iter().map(|&i| x[i]).sum::<f64>() / order.len() as f64).ln()
            };
            let all: Vec<usize> = (0..n).collect();
            let halves: Vec<f64> = (0..5)
                .map(|k| {
                    let keys =
                        rng::standard_normal(1, n, rng::derive(3, "half", (5 * trial + k) as u64));
                    let mut order = all.clone();
                    order.sort_by(|&i, &j| keys[i].total_cmp(&keys[j]));
                    ln_mean(&order[..n / 2])
                })
                .collect();
            // A probability of at most one: shifted below it.
            let shift = -5.0;
            let members: Vec<f64> = halves.iter().map(|v| v + shift).collect();
            let interval = ensemble(&members).interval(ln_mean(&all) + shift, 0.95);
            covered += usize::from(interval.ln_lower <= shift && shift <= interval.ln_upper);
        }
        assert!((437..=495).contains(&covered), "{covered}");
    }

    #[test]
    fn members_without_a_failure_leave_no_lower_end() {
        let some = ensemble(&[-7.0, f64::NEG_INFINITY, -7.2]).interval(-7.1, 0.95);
        assert!(some.ln_lower == f64::NEG_INFINITY && some.ln_upper.is_finite());
        for (members, ln_pf) in [([f64::NEG_INFINITY; 2], -7.0), ([-7.0; 2], f64::NEG_INFINITY)] {
            let none = ensemble(&members).interval(ln_pf, 0.95);
            assert_eq!((none.kind, none.upper()), (IntervalKind::Vacuous, 1.0));
        }
        assert!(matches!(Ensemble::new(Vec::new()), Err(Error::TooFew { .. })));
    }

    #[test]
    fn a_wide_spread_makes_an_estimate_an_extrapolation() {
        assert_eq!(ensemble(&[-7.0, -7.1, -6.9, -7.0]).reason(-7.0), None);
        let reason = ensemble(&[-9.0, -5.0, -7.0, -8.0]).reason(-7.0).unwrap();
        assert_eq!(Verdict::new(vec![reason]).status, Status::Extrapolated);
        let reason = ensemble(&[-7.0, f64::NEG_INFINITY]).reason(-7.0).unwrap();
        assert_eq!(reason, Reason::FlowUncertain { factor: f64::INFINITY });
    }
}
