//! The upper tail of a sample: a threshold, the share beyond it and the distribution of the excesses.

use serde::{Deserialize, Serialize};

use crate::{
    error::TailError,
    fit::{ExcessFit, FEWEST, fit},
    profile,
};

/// The upper tail of a sample of independent values.
#[derive(Clone, Debug)]
pub struct UpperTail {
    n: usize,
    threshold: f64,
    /// Excesses over the threshold, all positive.
    excesses: Vec<f64>,
    fit: ExcessFit,
}

/// The probability that a value exceeds a level, on the natural logarithmic scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exceedance {
    /// Logarithm of the estimate; negative infinity when the fitted tail ends before the level.
    pub ln_p: f64,
    /// Lower end of its interval; negative infinity when the tail may end before the level.
    pub ln_lower: f64,
    /// Upper end of its interval.
    pub ln_upper: f64,
}

impl UpperTail {
    /// Fits the tail beyond the value that `k` others exceed.
    ///
    /// # Shapes
    /// - `values`: `[n]`, in any order
    ///
    /// # Errors
    /// [`TailError::NotFinite`]; [`TailError::TooFew`] when fewer than ten values exceed the
    /// threshold, as when many values are equal.
    pub fn fit(values: &[f64], k: usize) -> Result<Self, TailError> {
        if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            return Err(TailError::NotFinite { index, value: values[index] });
        }
        let n = values.len();
        if k < FEWEST || k >= n {
            return Err(TailError::TooFew { found: k.min(n), needed: FEWEST });
        }
        let mut sorted = values.to_vec();
        let (_, threshold, beyond) = sorted.select_nth_unstable_by(n - k - 1, f64::total_cmp);
        let threshold = *threshold;
        let excesses: Vec<f64> =
            beyond.iter().map(|v| v - threshold).filter(|y| *y > 0.0).collect();
        let fit = fit(&excesses)?;
        Ok(Self { n, threshold, excesses, fit })
    }

    /// The value beyond which the tail begins.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Share of the values beyond the threshold.
    pub fn share(&self) -> f64 {
        self.excesses.len() as f64 / self.n as f64
    }

    /// The distribution of the excesses.
    pub fn excess_fit(&self) -> &ExcessFit {
        &self.fit
    }

    /// $\ln \mathrm P(X > x)$ for `x` at or beyond the threshold.
    pub fn ln_sf(&self, x: f64) -> f64 {
        self.share().ln() + self.fit.distribution.ln_sf(x - self.threshold)
    }

    /// The probability that a value exceeds `x`, with the interval of the profile likelihood whose
    /// deviance is at most `limit` (3.84 for 95 %).
    ///
    /// The share beyond the threshold and the distribution of the excesses have separate likelihoods.
    /// The widths of their intervals on the logarithmic scale are added as roots of squares, which is
    /// exact where both are quadratic.
    pub fn exceedance(&self, x: f64, limit: f64) -> Exceedance {
        let y0 = x - self.threshold;
        let (n, k) = (self.n as f64, self.excesses.len() as f64);
        // Deviance of a binomial share on the logarithmic scale, to second order.
        let share = (limit * (1.0 - k / n) / k).sqrt();
        let ln_share = self.share().ln();
        if y0 <= 0.0 {
            return Exceedance {
                ln_p: ln_share,
                ln_lower: ln_share - share,
                ln_upper: ln_share + share,
            };
        }
        let conditional = self.fit.distribution.ln_sf(y0);
        let (lower, upper) =
            profile::interval(&self.excesses, y0, (conditional, self.fit.ln_likelihood), limit);
        let ln_p = ln_share + conditional;
        let from = |end: f64, sign: f64| {
            let width = (end - conditional).abs();
            if width.is_finite() {
                ln_p + sign * width.hypot(share)
            } else {
                ln_share + end + sign * share
            }
        };
        Exceedance {
            ln_p,
            ln_lower: if lower.is_finite() { from(lower, -1.0) } else { f64::NEG_INFINITY },
            ln_upper: from(upper, 1.0).min(0.0),
        }
    }
}
