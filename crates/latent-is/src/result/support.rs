//! What outcomes say about an event by themselves, without any model of their density.
//!
//! For $n$ independent outcomes the values of the limit-state function are a sample of one variable, whose
//! lower tail decides. If at least ten values are at or below zero, their share is the answer. If not, a
//! generalised Pareto tail is fitted to the lowest values and continued to zero: an answer that knows nothing
//! of a flow or of another surrogate, and that contradicts one whose tail is wrong.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::result::interval::{Interval, IntervalKind};
use crate::result::reason::Reason;

/// Fewest outcomes that support an event.
const FEWEST: u64 = 10;

/// What outcomes say about an event by themselves.
///
/// ```
/// use latent_is::Support;
///
/// // g = 11.5 - x for 5,000 exponential outcomes x, in a regular order; P(g <= 0) = 1e-5 is beyond them.
/// let x = |i: u32| -((f64::from(i) + 0.5) / 5_000.0).ln();
/// let g: Vec<f64> = (0..5_000).map(|i| 11.513 - x(i)).collect();
/// let support = Support::of(&g, 0.95)?;
/// assert!(!support.is_supported());
/// assert!(support.interval.contains(1e-5));
/// // A surrogate whose answer is 1e-2 has the wrong tail.
/// assert!(support.contradicts(&latent_is::Interval::of_count(1_000, 100_000, 0.95)));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// Number of outcomes.
    pub outcomes: u64,
    /// Number of outcomes with $g \le 0$.
    pub failures: u64,
    /// Logarithm of the estimate: of the share of failures or, for an event without support, of the tail.
    #[serde(with = "crate::math::nonfinite")]
    pub ln_pf: f64,
    /// Interval of the probability.
    pub interval: Interval,
}

impl Support {
    /// What outcomes with these values of the limit-state function, `[n]`, say about $g \le 0$.
    ///
    /// The interval has the given confidence. For a supported event it is Clopper and Pearson's; for others it
    /// is the union of the profile-likelihood intervals of several thresholds ([`tails::exceedance`]), and that
    /// of the count where no tail can be fitted, because there are fewer than 40 outcomes or too many of their
    /// values are equal.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::TooFew`] for no values, [`Error::Setting`] for a confidence outside (0, 1).
    pub fn of(g: &[f64], confidence: f64) -> Result<Self, Error> {
        let valid = confidence > 0.0 && confidence < 1.0;
        Error::check(valid, "confidence", "in (0, 1)", confidence)?;
        Error::at_least("the support of an event", 1, g.len())?;
        if let Some(sample) = g.iter().position(|v| !v.is_finite()) {
            return Err(Error::NotFinite { sample });
        }
        let outcomes = g.len() as u64;
        let failures = g.iter().filter(|v| **v <= 0.0).count() as u64;
        let interval = Interval::of_count(failures, outcomes, confidence);
        let ln_pf = (failures as f64 / outcomes as f64).ln();
        let counted = Self { outcomes, failures, ln_pf, interval };
        if failures >= FEWEST {
            return Ok(counted);
        }
        let lower_tail: Vec<f64> = g.iter().map(|v| -v).collect();
        // The values were checked: only a tail that cannot be fitted is left as a reason.
        let Ok(tail) = tails::exceedance(&lower_tail, 0.0, confidence) else { return Ok(counted) };
        let kind = IntervalKind::Tail;
        let interval = Interval { ln_lower: tail.ln_lower, ln_upper: tail.ln_upper, kind };
        Ok(Self { ln_pf: tail.ln_p, interval, ..counted })
    }

    /// Whether at least ten outcomes reach the event.
    pub fn is_supported(&self) -> bool {
        self.failures >= FEWEST
    }

    /// Whether an estimate with the interval `other` is far from what the outcomes say: the intervals do not
    /// overlap.
    pub fn contradicts(&self, other: &Interval) -> bool {
        self.interval.ln_lower > other.ln_upper || self.interval.ln_upper < other.ln_lower
    }

    /// How many powers of ten the probability `exp(ln_pf)` lies below that of the rarest supported event, of
    /// which ten of the outcomes are a part; 0 for a supported one.
    pub fn decades_beyond(&self, ln_pf: f64) -> f64 {
        let rarest = (FEWEST as f64 / self.outcomes as f64).ln();
        ((rarest - ln_pf) / std::f64::consts::LN_10).max(0.0)
    }

    /// The reason for the verdict on an estimate with this logarithm and this interval, if the outcomes give
    /// one: that they contradict it, or that it is an extrapolation.
    pub fn reason(&self, ln_pf: f64, interval: &Interval) -> Option<Reason> {
        if self.contradicts(interval) {
            return Some(Reason::TailContradicted {
                ln_lower: self.interval.ln_lower,
                ln_upper: self.interval.ln_upper,
            });
        }
        let (outcomes, failures) = (self.outcomes, self.failures);
        let decades = self.decades_beyond(ln_pf);
        (!self.is_supported()).then_some(Reason::Extrapolated { outcomes, failures, decades })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;
    use crate::result::verdict::{Status, Verdict};

    /// Exponential values minus `beta`, with the opposite sign: P(g <= 0) = exp(-beta).
    fn exponential(n: usize, beta: f64, seed: u64) -> Vec<f64> {
        let z = rng::standard_normal(2, n, seed);
        z.column_iter().map(|z| beta - 0.5 * z.norm_squared()).collect()
    }

    #[test]
    fn a_supported_event_has_the_share_of_its_outcomes() {
        let g = exponential(5_000, 100_f64.ln(), 1);
        let support = Support::of(&g, 0.95).unwrap();
        let failures = g.iter().filter(|v| **v <= 0.0).count() as u64;
        assert_eq!((support.failures, support.is_supported()), (failures, true));
        assert_eq!(support.interval, Interval::of_count(failures, 5_000, 0.95));
        assert!(support.decades_beyond(0.01_f64.ln()) < 1e-12);
        assert_eq!(support.reason(0.01_f64.ln(), &support.interval), None);
        let wrong = Interval::of_count(1, 100_000, 0.95);
        let reason = support.reason(1e-5_f64.ln(), &wrong).unwrap();
        assert_eq!(Verdict::new(vec![reason]).status, Status::Suspect);
    }

    /// The interval of 95 % holds the truth in about 95 % of the samples; fewer than 51 of 60 have a
    /// probability of 0.4 % at a true coverage of 93 %.
    #[test]
    fn beyond_the_outcomes_the_tail_is_continued() {
        let p = 1e-5_f64;
        let covered = (0..60)
            .filter(|seed| {
                let g = exponential(3_000, -p.ln(), 100 + seed);
                Support::of(&g, 0.95).unwrap().interval.contains(p)
            })
            .count();
        assert!(covered >= 51, "{covered}");
        let support = Support::of(&exponential(3_000, -p.ln(), 7), 0.95).unwrap();
        let reason = support.reason(p.ln(), &Interval::of_count(1, 100_000, 0.95)).unwrap();
        let Reason::Extrapolated { decades, .. } = reason else { panic!("{reason}") };
        assert!((decades - (10.0 / 3_000.0 / p).log10()).abs() < 1e-12);
        assert_eq!(Verdict::new(vec![reason]).status, Status::Extrapolated);
        // The answer of a flow with the wrong tail.
        let thin = Interval { ln_lower: -168.3, ln_upper: -168.1, kind: IntervalKind::LogNormal };
        assert!(matches!(support.reason(-168.2, &thin), Some(Reason::TailContradicted { .. })));
    }

    #[test]
    fn few_and_equal_values_leave_the_interval_of_the_count() {
        let few = Support::of(&[1.0; 20], 0.95).unwrap();
        assert_eq!(few.interval, Interval::of_count(0, 20, 0.95));
        assert!(few.ln_pf.is_infinite() && few.ln_pf < 0.0);
        let equal = Support::of(&[1.0; 1_000], 0.95).unwrap();
        assert_eq!(equal.interval, Interval::of_count(0, 1_000, 0.95));
        assert!(matches!(Support::of(&[], 0.95), Err(Error::TooFew { .. })));
        assert!(matches!(Support::of(&[1.0, f64::NAN], 0.95), Err(Error::NotFinite { sample: 1 })));
        assert!(matches!(Support::of(&[1.0], 1.0), Err(Error::Setting { .. })));
    }
}
