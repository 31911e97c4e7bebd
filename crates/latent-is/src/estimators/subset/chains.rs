//! Particles of a level and the chains that make them.

use nalgebra::DMatrix;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::math::rng;
use crate::model::limit_state::LimitState;
use crate::search::conditional::{clamp_nan, walk};

/// The states of all chains of a level, one chain after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Particles {
    u: DMatrix<f64>,
    g: Vec<f64>,
    /// The independent draw of the first level that each one descends from.
    roots: Vec<usize>,
    /// States of one chain; one for independent draws.
    steps: usize,
    nan_evaluations: u64,
}

impl Particles {
    /// Particles with their limit-state values; NaN counts as far from failing.
    pub(super) fn new(u: DMatrix<f64>, values: &[f64], steps: usize) -> Self {
        let nan_evaluations = values.iter().filter(|v| v.is_nan()).count() as u64;
        let g = values.iter().map(|v| clamp_nan(*v)).collect();
        let roots = (0..values.len()).collect();
        Self { u, g, roots, steps, nan_evaluations }
    }

    pub(super) fn len(&self) -> usize {
        self.g.len()
    }

    pub(super) fn nan_evaluations(&self) -> u64 {
        self.nan_evaluations
    }

    pub(super) fn at_or_below(&self, threshold: f64) -> usize {
        self.g.iter().filter(|g| **g <= threshold).count()
    }

    /// The failing particles, `[d, m]`.
    pub(super) fn failing(&self) -> DMatrix<f64> {
        let indices: Vec<usize> = (0..self.len()).filter(|i| self.g[*i] <= 0.0).collect();
        self.u.select_columns(&indices)
    }

    /// The `rank`-th smallest value.
    pub(super) fn quantile(&self, rank: usize) -> f64 {
        let mut g = self.g.clone();
        *g.select_nth_unstable_by(rank - 1, f64::total_cmp).1
    }

    /// Squared coefficient of variation of the probability of a fall below zero through all levels,
    /// $\sum_r s_r^2 - 1/n$ with $s_r$ the share of the failing particles that descend from draw $r$ of
    /// the first level: those draws are independent, whatever the chains between do.
    pub(super) fn descent_squared_cov(&self) -> f64 {
        let mut families = vec![0.0; self.len()];
        for (g, root) in self.g.iter().zip(&self.roots) {
            if *g <= 0.0 {
                families[*root] += 1.0;
            }
        }
        let failures: f64 = families.iter().sum();
        let squares: f64 = families.iter().map(|f| f * f).sum();
        squares / (failures * failures) - 1.0 / self.len() as f64
    }

    /// Squared coefficient of variation of the share at or below `threshold`,
    /// $(1 - p)/(p n) (1 + \gamma)$ with the autocorrelation of the indicator along the chains.
    pub(super) fn squared_cov(&self, threshold: f64) -> f64 {
        let (n, m) = (self.len() as f64, self.steps);
        let p = self.at_or_below(threshold) as f64 / n;
        if p <= 0.0 {
            return f64::INFINITY;
        }
        let inside: Vec<f64> =
            self.g.iter().map(|g| if *g <= threshold { 1.0 - p } else { -p }).collect();
        let chains = n / m as f64;
        let gamma: f64 = (1..m)
            .map(|lag| {
                let pairs = chains * (m - lag) as f64;
                let products = inside
                    .chunks_exact(m)
                    .flat_map(|c| c.iter().zip(&c[lag..]).map(|(a, b)| a * b));
                let correlation = products.sum::<f64>() / pairs / (p * (1.0 - p)).max(1e-300);
                2.0 * (1.0 - lag as f64 / m as f64) * correlation
            })
            .sum();
        (1.0 - p) / (p * n) * (1.0 + gamma.max(0.0))
    }
}

/// What the chains of one level gave.
pub(super) struct Moved {
    pub(super) particles: Particles,
    pub(super) evaluations: usize,
    pub(super) acceptance: f64,
}

/// The chains of one level.
pub(super) struct Walk {
    pub(super) threshold: f64,
    pub(super) steps: usize,
    pub(super) chains: usize,
}

impl Walk {
    /// Runs one chain from each of the lowest particles of `from`, in random order; the seed is the
    /// first state. `ln_step` is the logarithm of the step size and adapts.
    pub(super) fn run(
        &self,
        g: &dyn LimitState,
        from: &Particles,
        ln_step: &mut f64,
        seed: u64,
    ) -> Result<Moved, Error> {
        let seeds = self.seeds(from, seed);
        let start = from.u.select_columns(&seeds);
        let values: Vec<f64> = seeds.iter().map(|i| from.g[*i]).collect();
        let below = |_: f64, there: f64, _: f64| there <= self.threshold;
        let moved = walk(g, (&start, &values), self.steps, ln_step, seed, below)?;
        let roots = (0..moved.g.len()).map(|i| from.roots[seeds[i / self.steps]]).collect();
        let (steps, nan_evaluations) = (self.steps, moved.nan_evaluations);
        let particles = Particles { u: moved.u, g: moved.g, roots, steps, nan_evaluations };
        Ok(Moved { particles, evaluations: moved.evaluations, acceptance: moved.acceptance })
    }

    /// Indices of the lowest particles, shuffled so that no group of chains is special.
    fn seeds(&self, from: &Particles, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..from.len()).collect();
        order.sort_by(|a, b| from.g[*a].total_cmp(&from.g[*b]));
        order.truncate(self.chains);
        let mut random = rng::stream(rng::derive(seed, "shuffle", 0), 0);
        for i in (1..order.len()).rev() {
            order.swap(i, random.random_range(0..=i));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_draws_have_the_binomial_coefficient_of_variation() {
        let g: Vec<f64> = (0..1000).map(f64::from).collect();
        let particles = Particles::new(DMatrix::zeros(1, 1000), &g, 1);
        let threshold = particles.quantile(100);
        assert_eq!(particles.at_or_below(threshold), 100);
        assert!((particles.squared_cov(threshold) - 0.9 / 100.0).abs() < 1e-12);
        // The same values as frozen chains of ten states count as a tenth of the draws.
        let frozen: Vec<f64> = (0..1000).map(|i| f64::from(i / 10)).collect();
        let chains = Particles::new(DMatrix::zeros(1, 1000), &frozen, 10);
        let ratio = chains.squared_cov(9.5) / (0.9 / 100.0);
        assert!((ratio - 10.0).abs() < 0.1, "{ratio}");
    }

    #[test]
    fn descent_counts_independent_families() {
        // Forty failing particles of ten families of four among a thousand.
        let g: Vec<f64> = (0..1000).map(|i| if i < 40 { -1.0 } else { 1.0 }).collect();
        let mut particles = Particles::new(DMatrix::zeros(1, 1000), &g, 1);
        assert!((particles.descent_squared_cov() - (1.0 / 40.0 - 1e-3)).abs() < 1e-12);
        particles.roots = (0..1000).map(|i| i / 4).collect();
        assert!((particles.descent_squared_cov() - (1.0 / 10.0 - 1e-3)).abs() < 1e-12);
    }
}
