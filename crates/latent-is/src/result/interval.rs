//! Confidence intervals for a failure probability.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF, Gamma, StudentsT};

use crate::result::diagnostics::degrees_of_freedom;
use crate::result::estimate::{Estimate, Tally};

/// Failures below which an interval comes from the gamma distribution instead of the log-normal one.
const FEW_FAILURES: u64 = 30;

/// How an interval was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum IntervalKind {
    /// Log-normal, by the sample variance and a quantile of Student's t.
    LogNormal,
    /// Gamma, for few failures; exact for equal weights.
    Gamma,
    /// Clopper and Pearson's, for a count.
    Exact,
    /// From generalised Pareto tails fitted to outcomes, see [`Support`](crate::Support).
    Tail,
    /// From the spread of an ensemble, see [`Ensemble`](crate::Ensemble).
    Ensemble,
    /// No failure was drawn: an upper bound that draws from the nominal density support.
    UpperBound,
    /// No failure was drawn and nothing bounds the probability: $[0, 1]$.
    Vacuous,
}

/// A confidence interval for the failure probability, in logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Logarithm of the lower end.
    #[serde(with = "crate::math::nonfinite")]
    pub ln_lower: f64,
    /// Logarithm of the upper end.
    pub ln_upper: f64,
    /// How it was made.
    pub kind: IntervalKind,
}

impl Interval {
    /// The exact two-sided interval for a probability of which `hits` of `n` independent draws are hits.
    ///
    /// # Panics
    /// When `confidence` does not lie in (0, 1), and when there are more hits than draws.
    ///
    /// # References
    /// - C. Clopper, E. Pearson: The use of confidence or fiducial limits illustrated in the case of the
    ///   binomial. *Biometrika* 26 (1934), 404–413.
    pub fn of_count(hits: u64, n: u64, confidence: f64) -> Self {
        assert!(confidence > 0.0 && confidence < 1.0, "confidence must lie in (0, 1)");
        assert!(hits <= n, "there are more hits than draws");
        let tail = 0.5 * (1.0 - confidence);
        let quantile = |a: u64, b: u64, p: f64| {
            Beta::new(a as f64, b as f64).expect("both are positive").inverse_cdf(p).ln()
        };
        let ln_lower =
            if hits == 0 { f64::NEG_INFINITY } else { quantile(hits, n - hits + 1, tail) };
        let ln_upper = if hits == n { 0.0 } else { quantile(hits + 1, n - hits, 1.0 - tail) };
        Self { ln_lower, ln_upper, kind: IntervalKind::Exact }
    }

    /// The smallest interval that contains both, of the kind of `self`.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        Self {
            ln_lower: self.ln_lower.min(other.ln_lower),
            ln_upper: self.ln_upper.max(other.ln_upper),
            kind: self.kind,
        }
    }

    /// Lower end.
    pub fn lower(&self) -> f64 {
        self.ln_lower.exp()
    }

    /// Upper end.
    pub fn upper(&self) -> f64 {
        self.ln_upper.exp()
    }

    /// Whether the probability `pf` lies between the ends.
    pub fn contains(&self, pf: f64) -> bool {
        (self.ln_lower..=self.ln_upper).contains(&pf.ln())
    }
}

impl Estimate {
    /// A two-sided confidence interval.
    ///
    /// With at least 30 failures it is log-normal,
    /// $\log P \in \log \hat P \pm t_\nu \sqrt{\log(1 + \delta^2)}$, with the degrees of freedom $\nu$ that
    /// the weights leave to $\delta^2$, see [`degrees_of_freedom`]: few heavy weights make it wide. With fewer it is the gamma
    /// interval for weighted counts of Fay and Feuer, which takes the largest weight seen as the
    /// weight that the next failure could have and equals the exact Poisson interval when all
    /// weights are equal. Without a failure, only draws from the nominal density bound the
    /// probability: with a share $a$ of them in $n$ draws, by $-\log(1 - c) / (a n)$.
    ///
    /// NaN draws widen the interval: its lower end takes all of them for safe, its upper
    /// end all of them for failing. Both are estimates from the draws: NaN samples where hardly any draw fell
    /// count for little. (Subset simulation estimates the probability of a NaN from the candidates of its chains.)
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
        if self.counts.failures == 0 {
            return self.upper_bound(confidence);
        }
        let own = Tally {
            ln_pf: self.ln_pf,
            cov: self.cov,
            ess: self.weights.ess,
            max_weight_share: self.weights.max_share,
            failures: self.counts.failures,
        };
        let (ln_lower, ln_upper, kind) = own.ends(self.freedom(), tail);
        let ln_upper = self.worst_end(tail).unwrap_or(ln_upper);
        Interval { ln_lower, ln_upper: ln_upper.min(0.0), kind }
    }

    /// The upper end with NaN draws counted as failing, if there are any.
    fn worst_end(&self, tail: f64) -> Option<f64> {
        self.nan_as_failing.map(|worst| worst.ends(self.freedom(), tail).1)
    }

    /// Degrees of freedom of the variance.
    fn freedom(&self) -> f64 {
        degrees_of_freedom(self.sample.ln_w.as_slice(), self.counts.draws)
    }

    fn upper_bound(&self, confidence: f64) -> Interval {
        let nominal =
            self.proposal.as_ref().map_or(1.0, |p| p.nominal_share) * self.counts.draws as f64;
        let bound = -(1.0 - confidence).ln() / nominal;
        let worst = self.worst_end(0.5 * (1.0 - confidence)).map_or(0.0, f64::exp);
        let bound = bound.max(worst);
        let (ln_upper, kind) = if bound < 1.0 {
            (bound.ln(), IntervalKind::UpperBound)
        } else {
            (0.0, IntervalKind::Vacuous)
        };
        Interval { ln_lower: f64::NEG_INFINITY, ln_upper, kind }
    }
}

impl Tally {
    /// Logarithms of the ends, with probability `tail` beyond each; there is a failure.
    fn ends(&self, freedom: f64, tail: f64) -> (f64, f64, IntervalKind) {
        if self.ess <= 0.0 {
            return (f64::NEG_INFINITY, 0.0, IntervalKind::Vacuous);
        }
        if self.failures < FEW_FAILURES {
            let share = self.max_weight_share;
            let lower = gamma_quantile(self.ess, tail) / self.ess;
            let spread = 1.0 / self.ess + share * share;
            let shape = (1.0 + share).powi(2) / spread;
            let upper = spread / (1.0 + share) * gamma_quantile(shape, 1.0 - tail);
            (self.ln_pf + lower.ln(), self.ln_pf + upper.ln(), IntervalKind::Gamma)
        } else {
            let t = StudentsT::new(0.0, 1.0, freedom)
                .expect("the degrees of freedom are positive")
                .inverse_cdf(1.0 - tail);
            let half = t * (self.cov * self.cov).ln_1p().sqrt();
            (self.ln_pf - half, self.ln_pf + half, IntervalKind::LogNormal)
        }
    }
}

/// Quantile of the gamma distribution with unit scale.
fn gamma_quantile(shape: f64, p: f64) -> f64 {
    Gamma::new(shape, 1.0).expect("the shape is positive").inverse_cdf(p)
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};

    use super::*;
    use crate::result::estimate::WeightedSample;

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
    fn a_count_has_the_interval_of_clopper_and_pearson() {
        // By SciPy 1.17.1: `binomtest(hits, n).proportion_ci(0.95, "exact")`.
        let scipy = [
            (0, 10, 0.0, 0.308_497_107_818_762_94),
            (5, 10, 0.187_086_028_447_404_5, 0.812_913_971_552_595_5),
            (4, 4000, 0.000_272_531_426_155_282_3, 0.002_558_400_143_375_147_4),
            (400, 4000, 0.090_872_747_715_571_72, 0.109_716_151_718_386_74),
            (4000, 4000, 0.999_078_205_250_395_6, 1.0),
        ];
        for (hits, n, lower, upper) in scipy {
            let interval = Interval::of_count(hits, n, 0.95);
            assert!((interval.lower() - lower).abs() < 1e-9, "{hits} of {n}: {}", interval.lower());
            assert!((interval.upper() - upper).abs() < 1e-9, "{hits} of {n}: {}", interval.upper());
        }
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
        assert!(e.ln_pf == f64::NEG_INFINITY && e.cov == f64::INFINITY);
        let i = e.interval(0.95);
        assert_eq!(i.kind, IntervalKind::UpperBound);
        assert!((i.upper() - 3.0 / 1000.0).abs() < 1e-5 && i.lower() == 0.0);
        let text = serde_json::to_string(&e).unwrap();
        assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), e);
    }
}
