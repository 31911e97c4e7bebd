//! Improved cross-entropy: a smooth indicator instead of thresholds.
//!
//! The search of [`cross_entropy`](crate::cross_entropy) with targets $p(x) \Phi(-g(x)/\sigma_t)$, where
//! $\sigma_1 > \sigma_2 > \dots \to 0$: every point takes part in each fit. From $n$ draws of $q_t$
//! the next width is
//!
//! $$ \sigma_{t+1} = \min\Big\lbrace \sigma \le \sigma_t :
//!    \operatorname{CoV}\big( w_i \Phi(-g(x_i)/\sigma) \big) \le \delta \Big\rbrace, \qquad
//!    w_i = p(x_i)/q_t(x_i), \tag{4} $$
//!
//! and $q_{t+1}$ maximises $\sum_i w_i \Phi(-g(x_i)/\sigma_{t+1}) \log q(x_i)$.
//!
//! A coefficient of variation $\delta$ among $n$ weights is an effective sample size of $n/(1 + \delta^2)$. The
//! default holds the pooled weights $p / \sum_m n_m q_m$ to that number and is done when the failing points
//! reach it by themselves, $\sigma = 0$. The published rule stops when $\mathbf 1\lbrace g \le 0\rbrace / \Phi(-g/\sigma_t)$
//! varies by at most $\delta$, which takes failures in one of $1 + \delta^2$ draws and is never met by a proposal
//! that is broader; here the points are weighted to the distribution that the rule speaks of.
//!
//! All points move the mean of a fit, so in many coordinates a level of the default has at least ten draws
//! for each.
//!
//! Use it where the values of $g$ are smooth; where they jump or are flat, a quantile is the better guide.
//!
//! # References
//! - I. Papaioannou, S. Geyer, D. Straub: Improved cross entropy-based importance sampling with a
//!   flexible mixture model. *Reliability Engineering & System Safety* 191 (2019), 106564.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::estimators::cross_entropy::{CrossEntropySearch, LevelSchedule, Seen};
use crate::math::special::ln_sum_exp;
use crate::method::search_settings::SearchSettings;
use crate::search::level_size::LevelSize;
use crate::search::smooth::{fit_width, ln_indicator};
use crate::settings::{Builder, builder};

/// Improved cross-entropy. See the [module](self) for what it does.
///
/// ```
/// use latent_is::{Estimator, FnLimitState, ImprovedCrossEntropy, StandardNormal};
///
/// let g = FnLimitState::new(2, |x: &[f64]| 3.5 - x[0]);
/// let estimate = ImprovedCrossEntropy::default().estimate(&StandardNormal::new(2), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(2.326e-4));
/// # Ok::<(), latent_is::Error>(())
/// ```
pub type ImprovedCrossEntropy = CrossEntropySearch<Smooth>;

/// Widths of the smoothed indicator by the variation $\delta$ of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Smooth {
    weight_cov: f64,
}

impl Default for ImprovedCrossEntropy {
    /// $\delta = 1.5$; 600 draws per level in up to four coordinates, 1000 above.
    fn default() -> Self {
        let size = LevelSize::ByCoordinates { few: 600, many: 1000 };
        Self::new(Smooth { weight_cov: 1.5 }, SearchSettings::new(size))
    }
}

builder!(ImprovedCrossEntropy);

impl ImprovedCrossEntropy {
    /// The published settings: 1000 draws per level, $\delta = 1.5$, two components, each level on its own
    /// draws, and 1000 final draws from a last fit to the failing ones without defence.
    pub fn paper() -> Self {
        Self::new(Smooth { weight_cov: 1.5 }, SearchSettings::paper(1000))
    }

    /// Coefficient of variation $\delta$ of a level's weights.
    pub fn weight_cov(&self) -> f64 {
        self.schedule.weight_cov
    }
}

impl Builder<ImprovedCrossEntropy> {
    /// Coefficient of variation $\delta$ of a level's weights; larger takes fewer, longer steps.
    pub fn weight_cov(mut self, delta: f64) -> Self {
        self.settings.schedule.weight_cov = delta;
        self
    }
}

impl Smooth {
    /// Effective size of $n$ weights whose coefficient of variation is $\delta$.
    fn min_ess(self, n: usize) -> f64 {
        n as f64 / (1.0 + self.weight_cov * self.weight_cov)
    }

    /// The published rule: whether $1/\Phi$ on the failing points varies by at most $\delta$ under
    /// $p \Phi(-g/\sigma)$. Before there is a width, the failing points themselves must be enough.
    fn reached_zero(self, seen: &Seen<'_>, sigma: Option<f64>) -> bool {
        let points = || seen.ln_w.iter().zip(seen.g);
        let failing = || points().filter(|(_, g)| **g <= 0.0);
        let mass = ln_sum_exp(&failing().map(|(w, _)| *w).collect::<Vec<f64>>());
        let smooth: Vec<f64> = points().map(|(w, g)| w + ln_indicator(*g, sigma)).collect();
        let squares: Vec<f64> = failing().map(|(w, g)| w - ln_indicator(*g, sigma)).collect();
        let ratio = (ln_sum_exp(&smooth) + ln_sum_exp(&squares) - 2.0 * mass).exp();
        ratio <= 1.0 + self.weight_cov * self.weight_cov
    }
}

impl LevelSchedule for Smooth {
    const NAME: &'static str = "improved cross-entropy";

    fn check(&self) -> Result<(), Error> {
        let delta = self.weight_cov;
        Error::check(delta > 0.0 && delta.is_finite(), "weight_cov", "positive", delta)
    }

    fn next(&self, seen: &Seen<'_>) -> (f64, Vec<f64>) {
        let before = seen.before.filter(|s| *s > 0.0);
        // Once the event is reached, further draws refine the fit to it.
        let reached = seen.before.is_some() && before.is_none();
        let reached_zero = reached || (!seen.pooled && self.reached_zero(seen, before));
        let min_ess =
            if reached_zero { f64::MIN_POSITIVE } else { self.min_ess(seen.samples_per_level) };
        fit_width(seen.g, seen.ln_w, before, min_ess)
    }
}
