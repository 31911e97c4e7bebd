//! Fits a mixture to weighted points: tempering, restarts, choice of the number of components.

use nalgebra::{DMatrix, DMatrixView};
use serde::{Deserialize, Serialize};

use super::em::{EmSettings, EmTrace, Start, effective_size, iterate, least, start};
use super::{Family, GaussianMixture, kmeans};
use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::math::special::ln_sum_exp;
use crate::settings::{Settings, settings};

/// Iterations spent on each restart before the best one goes on.
const TRIAL_ITERATIONS: usize = 10;

/// Most starts where covariances are not full.
const LEAN_RESTARTS: usize = 2;

/// Share of the weight that the lightest points, which take no part, have together at most.
const NEGLIGIBLE: f64 = 1e-4;

/// How many components a mixture gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Components {
    /// This many, fewer only where points cannot support them.
    Fixed(usize),
    /// The number from one to `max` with the smallest Bayesian information criterion.
    Auto {
        /// Largest number tried.
        max: usize,
    },
}

/// A weighted mixture fit. See [`MixtureFit::fit`].
///
/// ```
/// use latent_is::{Components, MixtureFit, rng};
///
/// let x = rng::standard_normal(2, 500, 1);
/// let fit = MixtureFit::builder().components(Components::Auto { max: 3 }).build()?;
/// let fitted = fit.fit(x.as_view(), &[0.0; 500], 7)?;
/// assert_eq!(fitted.mixture.len(), 1);
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct MixtureFit {
    components: Components,
    restarts: usize,
    em: EmSettings,
    family: Family,
}

impl Default for MixtureFit {
    fn default() -> Self {
        Self {
            components: Components::Auto { max: 6 },
            restarts: 5,
            em: EmSettings { ridge: 1e-6, tolerance: 1e-5, max_iterations: 200, guarded: true },
            family: Family::Auto,
        }
    }
}

/// A fitted mixture and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// The mixture.
    pub mixture: GaussianMixture,
    /// Effective size of the weights as given, before tempering.
    pub ess: f64,
    /// Exponent that flattened the weights; one when they were left alone.
    pub temper: f64,
    /// Weighted mean of $\log q$ at the points, under the tempered weights.
    pub ln_likelihood: f64,
}

settings!(MixtureFit {
    /// Number of components.
    components: Components,
    /// Number of k-means++ starts of which the best is kept.
    restarts: usize,
    /// Covariances that the components may have.
    family: Family,
    /// Iteration limits and regularisation.
    em: EmSettings,
});

impl Settings for MixtureFit {
    fn check(&self) -> Result<(), Error> {
        let (Components::Fixed(k) | Components::Auto { max: k }) = self.components;
        Error::check(k >= 1, "components", "at least 1", k)?;
        Error::check(self.restarts >= 1, "restarts", "at least 1", self.restarts)?;
        let em = self.em;
        Error::check(em.max_iterations >= 1, "max_iterations", "at least 1", em.max_iterations)?;
        Error::check(em.ridge >= 0.0, "ridge", "non-negative", em.ridge)?;
        Error::check(em.tolerance >= 0.0, "tolerance", "non-negative", em.tolerance)
    }
}

impl MixtureFit {
    /// The fit with another choice of components.
    #[must_use]
    pub(crate) fn with_components(mut self, components: Components) -> Self {
        self.components = components;
        self
    }

    /// Fits a mixture to the columns of `x` with log-weights `ln_w`, which need no normalisation;
    /// points whose weight is zero, and the lightest ones as long as they make up less than a ten-thousandth
    /// together, take no part: of a pool of many levels they are most.
    ///
    /// Weights whose effective size is below five points per coordinate and component (two where
    /// covariances are not full; and below half the points) are flattened by the largest exponent that reaches it: that changes the proposal,
    /// never the estimate. The number of components minimises
    /// $-2 \mathrm{ESS} L + n_\mathrm{par} \log \mathrm{ESS}$, where $L$ is the weighted mean of
    /// $\log q$.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`; `ln_w`: `[n]`
    ///
    /// # Errors
    /// [`Error::Weights`] when no weight is positive or one is NaN or infinite,
    /// [`Error::NotFinite`] when a point is, [`Error::Mixture`] when a fit breaks down.
    pub fn fit(&self, x: DMatrixView<'_, f64>, ln_w: &[f64], seed: u64) -> Result<Fitted, Error> {
        EvalError::check_dim(x.ncols(), ln_w.len())?;
        if ln_w.iter().any(|w| w.is_nan() || *w == f64::INFINITY) {
            return Err(Error::Weights);
        }
        let present: Vec<usize> = (0..ln_w.len()).filter(|i| ln_w[*i].is_finite()).collect();
        if present.is_empty() {
            return Err(Error::Weights);
        }
        let ln_w: Vec<f64> = present.iter().map(|i| ln_w[*i]).collect();
        let full = effective_size(&normalised(&ln_w, 1.0));
        let (Components::Fixed(most) | Components::Auto { max: most }) = self.components;
        // Full covariances need five points per coordinate and component, leaner ones two.
        let each = if self.family.in_dim(x.nrows()) == Family::Full { 5 } else { 2 };
        let floor = (each * x.nrows()).max(20) as f64 * most.min(2) as f64;
        let temper = temper(&ln_w, floor.min(0.5 * ln_w.len() as f64));
        let w = normalised(&ln_w, temper);
        let kept = heaviest(&w);
        let w = normalised(&kept.iter().map(|i| w[*i].ln()).collect::<Vec<f64>>(), 1.0);
        let x = x.select_columns(kept.iter().map(|i| &present[*i]));
        if let Some(index) = x.iter().position(|v| !v.is_finite()) {
            return Err(Error::NotFinite { sample: present[kept[index / x.nrows()]] });
        }
        let trace = self.choose(&x, &w, seed)?;
        let ln_likelihood = trace.objective();
        Ok(Fitted { mixture: trace.mixture, ess: full, temper, ln_likelihood })
    }

    /// The fit with the best number of components.
    fn choose(&self, x: &DMatrix<f64>, w: &[f64], seed: u64) -> Result<EmTrace, Error> {
        let (range, ess) = (self.candidates(x.nrows(), w), effective_size(w));
        let family = self.family.in_dim(x.nrows());
        let parameters_each = 1 + x.nrows() + family.parameters(x.nrows());
        let mut best: Option<(f64, EmTrace)> = None;
        let mut worse = 0;
        for k in range {
            let trace = self.fit_k(x, w, k, seed)?;
            let parameters = trace.mixture.len() * parameters_each - 1;
            let criterion = -2.0 * ess * trace.objective() + parameters as f64 * ess.ln();
            if best.as_ref().is_none_or(|(b, _)| criterion < *b) {
                best = Some((criterion, trace));
                worse = 0;
            } else {
                worse += 1;
                // Lean covariances in many coordinates: a step is dear and a second look rarely helps.
                if worse == 2 || family != Family::Full {
                    break;
                }
            }
        }
        Ok(best.expect("at least one number of components is tried").1)
    }

    /// Numbers of components that the effective size can support.
    fn candidates(&self, d: usize, w: &[f64]) -> std::ops::RangeInclusive<usize> {
        let cap = (effective_size(w) / least(self.family.in_dim(d), d)) as usize;
        match self.components {
            Components::Fixed(k) => k..=k,
            Components::Auto { max } => 1..=max.min(cap).max(1),
        }
    }

    /// Best of several starts with `k` components.
    fn fit_k(&self, x: &DMatrix<f64>, w: &[f64], k: usize, seed: u64) -> Result<EmTrace, Error> {
        let d = x.nrows();
        let family = self.family.in_dim(d);
        let restarts = match (k, family) {
            (1, _) => 1,
            (_, Family::Full) => self.restarts,
            _ => self.restarts.min(LEAN_RESTARTS),
        };
        let trial =
            EmSettings { max_iterations: TRIAL_ITERATIONS.min(self.em.max_iterations), ..self.em };
        let mut best: Option<EmTrace> = None;
        for restart in 0..restarts {
            let mut random = rng::stream(rng::derive(seed, "k-means++", k as u64), restart as u64);
            let resp = kmeans::clusters(x, w, k, &mut random);
            let trace = iterate(x.as_slice(), d, w, start(x, w, &resp), &trial, family)?;
            if best.as_ref().is_none_or(|b| trace.objective() > b.objective()) {
                best = Some(trace);
            }
        }
        let best = best.expect("at least one start");
        if best.converged || self.em.max_iterations <= TRIAL_ITERATIONS {
            return Ok(best);
        }
        let from = Start::from_mixture(x.as_slice(), w, &best.mixture);
        iterate(x.as_slice(), d, w, from, &self.em, family)
    }
}

/// Weights proportional to `exp(b * ln_w)` that add up to one.
fn normalised(ln_w: &[f64], b: f64) -> Vec<f64> {
    let scaled: Vec<f64> = ln_w.iter().map(|w| b * w).collect();
    let total = ln_sum_exp(&scaled);
    scaled.iter().map(|w| (w - total).exp()).collect()
}

/// Indices of all but the lightest weights, which make up less than [`NEGLIGIBLE`] of a sum of one.
fn heaviest(w: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..w.len()).collect();
    order.sort_by(|a, b| w[*a].total_cmp(&w[*b]));
    let mut sum = 0.0;
    let negligible = |i: &&usize| {
        sum += w[**i];
        sum < NEGLIGIBLE
    };
    let lightest = order.iter().take_while(negligible).count();
    order.drain(..lightest);
    order.sort_unstable();
    order
}

/// The largest exponent in (0, 1] with an effective size of at least `floor`.
fn temper(ln_w: &[f64], floor: f64) -> f64 {
    let reached = |b: f64| effective_size(&normalised(ln_w, b)) >= floor;
    if reached(1.0) {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if reached(middle) { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::density::Density;

    fn two_groups(n: usize) -> DMatrix<f64> {
        let mut x = rng::standard_normal(3, n, 9);
        x.column_iter_mut().enumerate().for_each(|(i, mut c)| c[0] += 8.0 * (i % 2) as f64);
        x
    }

    #[test]
    fn the_criterion_finds_the_number_of_groups() {
        let x = two_groups(600);
        let fitted = MixtureFit::default().fit(x.as_view(), &[0.0; 600], 1).unwrap();
        assert_eq!(fitted.mixture.len(), 2);
        assert!((fitted.ess - 600.0).abs() < 1e-6);
        assert!((fitted.temper - 1.0).abs() < 1e-12);
    }

    #[test]
    fn importance_weights_are_honoured() {
        // Points from N(0, I) weighted towards N((1, 0), I): log-weight u_1.
        let x = rng::standard_normal(2, 20_000, 2);
        let ln_w: Vec<f64> = x.row(0).iter().copied().collect();
        let fit = MixtureFit::builder().components(Components::Fixed(1)).build().unwrap();
        let mean = fit.fit(x.as_view(), &ln_w, 3).unwrap().mixture.means().clone();
        // Standard error about sqrt(e / 20000) = 0.012 a coordinate.
        assert!((mean[(0, 0)] - 1.0).abs() < 0.05 && mean[(1, 0)].abs() < 0.05, "{mean}");
    }

    #[test]
    fn a_dominating_weight_is_flattened_not_followed() {
        let x = rng::standard_normal(2, 200, 4);
        let mut ln_w = vec![0.0; 200];
        ln_w[7] = 60.0;
        let fitted = MixtureFit::default().fit(x.as_view(), &ln_w, 1).unwrap();
        assert!(fitted.ess < 1.01 && fitted.temper < 0.2);
        let q = fitted.mixture;
        let spread = q.ln_pdf(x.as_view()).unwrap();
        assert!(spread.iter().all(|v| *v > -60.0), "a needle: {spread}");
    }

    #[test]
    fn weights_without_information_are_refused() {
        let x = rng::standard_normal(2, 5, 4);
        let fit = MixtureFit::default();
        assert!(matches!(fit.fit(x.as_view(), &[f64::NEG_INFINITY; 5], 1), Err(Error::Weights)));
        assert!(matches!(fit.fit(x.as_view(), &[f64::NAN; 5], 1), Err(Error::Weights)));
        assert!(MixtureFit::builder().components(Components::Fixed(0)).build().is_err());
    }
}
