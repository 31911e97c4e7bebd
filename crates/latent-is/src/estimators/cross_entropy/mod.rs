//! Cross-entropy importance sampling with Gaussian mixtures.
//!
//! The proposal moves through thresholds $\gamma_1 > \dots > \gamma_T = 0$. From $n$ draws of $q_t$, with
//! $q_0 = p$, the next threshold is $\gamma_{t+1} = \max(0, \rho\text{-quantile of } g)$, and $q_{t+1}$
//! maximises
//!
//! $$ \sum_{i: g(x_i) \le \gamma_{t+1}} w_i \log q(x_i), \qquad w_i = p(x_i) / q_t(x_i). \tag{3} $$
//!
//! The default pools the points of all levels, with weights $p / \sum_m n_m q_m$, chooses the number of
//! components at each level and, once the threshold is zero, refines the proposal on further draws.
//! Half of its first level and a share of every later one explore: they come from a wide distribution around the
//! nominal one, and from exploration centres that falling values of $g$ under the wide distribution lead to. So
//! modes that the elite samples would leave out are kept.
//! Use it when $g$ falls towards the failure region; a small mode behind rising values can still be lost.
//!
//! The search itself is [`CrossEntropySearch`]; what (3) cuts off sharply
//! [`improved_cross_entropy`](crate::improved_cross_entropy) smooths.
//!
//! # References
//! - S. Geyer, I. Papaioannou, D. Straub: Cross entropy-based importance sampling using Gaussian
//!   densities revisited. *Structural Safety* 76 (2019), 15–27.

mod propose;
mod search;
mod state;

use serde::{Deserialize, Serialize};

pub(crate) use propose::Propose;
pub use search::CrossEntropySearch;
pub use state::CrossEntropyState;

use crate::error::Error;
use crate::method::search_settings::SearchSettings;
use crate::search::level_size::LevelSize;
use crate::search::smooth::ln_failure;
use crate::settings::{Builder, builder};

/// Largest share of the draws that is kept for the sake of many coordinates.
const MOST_KEPT: f64 = 0.3;

/// The cross-entropy method. See the [module](self) for what it does.
///
/// ```
/// use latent_is::{CrossEntropy, Estimator, FnLimitState, StandardNormal};
///
/// let g = FnLimitState::new(2, |x: &[f64]| 3.5 - x[0]);
/// let estimate = CrossEntropy::default().estimate(&StandardNormal::new(2), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(2.326e-4));
/// # Ok::<(), latent_is::Error>(())
/// ```
pub type CrossEntropy = CrossEntropySearch<Quantile>;

impl Default for CrossEntropy {
    /// $\rho = 0.1$; 800 draws per level in up to four coordinates, 1200 above.
    fn default() -> Self {
        let size = LevelSize::ByCoordinates { few: 800, many: 1200 };
        Self::new(Quantile { quantile: 0.1 }, SearchSettings::new(size))
    }
}

builder!(CrossEntropy);

impl CrossEntropy {
    /// The published settings: 2000 draws per level, $\rho = 0.1$, two components, each level on its own
    /// draws, and 2000 final draws from the last fit without defence.
    pub fn paper() -> Self {
        Self::new(Quantile { quantile: 0.1 }, SearchSettings::paper(2000))
    }

    /// Share $\rho$ of the draws that the next threshold keeps.
    pub fn quantile(&self) -> f64 {
        self.schedule.quantile
    }
}

impl Builder<CrossEntropy> {
    /// Share $\rho$ of the draws that the next threshold keeps.
    pub fn quantile(mut self, rho: f64) -> Self {
        self.settings.schedule.quantile = rho;
        self
    }
}

impl<S> Builder<CrossEntropySearch<S>> {
    /// Refines beyond the asked number of levels as long as that saves more final draws than it costs.
    pub fn refine_adaptively(mut self, on: bool) -> Self {
        self.settings.refine_adaptively = on;
        self
    }
}

/// What a level has seen, for the choice of the next one.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Limit-state values of all points that the fit may use.
    pub g: &'a [f64],
    /// Their log-weights towards the nominal density.
    pub ln_w: &'a [f64],
    /// Limit-state values of the level's own draws.
    pub drawn: &'a [f64],
    /// The level before's threshold or width.
    pub before: Option<f64>,
    /// Draws of a level.
    pub samples_per_level: usize,
    /// Coordinates.
    pub dim: usize,
    /// Whether `g` holds the points of all levels.
    pub pooled: bool,
}

/// How a cross-entropy search closes in on the failure event.
pub trait LevelSchedule: Clone + std::fmt::Debug + Send + Sync {
    /// Name of the method in checkpoints and reports.
    const NAME: &'static str;

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range.
    fn check(&self) -> Result<(), Error>;

    /// The next threshold or width, zero for the event itself, and the logarithms of the factors that
    /// it puts on the weights of the points.
    fn next(&self, seen: &Seen<'_>) -> (f64, Vec<f64>);
}

/// Thresholds at a quantile $\rho$ of the limit-state values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    pub(crate) quantile: f64,
}

impl Quantile {
    /// Share of the draws that the next threshold keeps: more than the quantile asks for where that
    /// would leave fewer than two points per coordinate.
    fn share(self, seen: &Seen<'_>) -> f64 {
        let least = (2 * seen.dim) as f64 / seen.samples_per_level as f64;
        if seen.pooled { self.quantile.max(least.min(MOST_KEPT)) } else { self.quantile }
    }
}

impl LevelSchedule for Quantile {
    const NAME: &'static str = "cross-entropy";

    fn check(&self) -> Result<(), Error> {
        Error::check(
            self.quantile > 0.0 && self.quantile < 1.0,
            "quantile",
            "in (0, 1)",
            self.quantile,
        )
    }

    fn next(&self, seen: &Seen<'_>) -> (f64, Vec<f64>) {
        let threshold = lower_quantile(seen.drawn, self.share(seen)).max(0.0);
        (threshold, seen.g.iter().map(|g| ln_failure(*g - threshold)).collect())
    }
}

/// The smallest value with at least a share `rho` of the values at or below it.
fn lower_quantile(values: &[f64], rho: f64) -> f64 {
    let mut sorted = values.to_vec();
    let rank = ((rho * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1;
    *sorted.select_nth_unstable_by(rank, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixture::fit::Components;

    #[test]
    fn the_quantile_takes_enough_values() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 8.0, 7.0, 6.0, 10.0];
        assert!((lower_quantile(&values, 0.1) - 1.0).abs() < 1e-15);
        assert!((lower_quantile(&values, 0.11) - 2.0).abs() < 1e-15);
        assert!((lower_quantile(&[3.0; 4], 0.9) - 3.0).abs() < 1e-15);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        assert!(CrossEntropy::builder().quantile(1.0).build().is_err());
        assert!(CrossEntropy::builder().samples_per_level(0).build().is_err());
        assert!(CrossEntropy::builder().components(Components::Fixed(0)).build().is_err());
        assert!(CrossEntropy::paper().to_builder().build().is_ok());
    }
}
