//! The search for one failure mode: subset simulation from the nominal draws down to failure.

use nalgebra::DMatrix;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::estimators::certified::Certified;
use crate::estimators::certified::mode::Mode;
use crate::estimators::certified::subspace::{Fit, Subspace};
use crate::math::rng;
use crate::result::estimate::{LevelRecord, StopReason};
use crate::search::conditional::{FIRST_STEP, walk};

/// A search between two levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ModeSearch {
    /// States at or below the threshold, from which the next chains start, and their values.
    states: DMatrix<f64>,
    values: Vec<f64>,
    /// The nominal draw that each one descends from.
    roots: Vec<usize>,
    threshold: f64,
    /// Logarithm of the probability of the threshold, by the chains.
    pub(super) ln_p: f64,
    ln_step: f64,
    pub(super) levels: Vec<LevelRecord>,
    /// Effective number of nominal draws that the states of the last level descend from.
    pub(super) families: f64,
    /// One proposal for each level, the last one for the failures once they are reached.
    pub(super) proposals: Vec<Subspace>,
    pub(super) stopped: Option<StopReason>,
}

/// How large the levels of a search are.
#[derive(Clone, Copy, Debug)]
pub(super) struct LevelSizes {
    /// Chains.
    pub(super) chains: usize,
    /// States of a level on the way.
    pub(super) states: usize,
    /// States of the level of the failures themselves.
    pub(super) last: usize,
    /// Levels at most.
    pub(super) most: usize,
}

/// Indices of `count` of the values at or below `threshold`, in random order.
fn choose(values: &[f64], threshold: f64, count: usize, seed: u64) -> Vec<usize> {
    let mut below: Vec<usize> = (0..values.len()).filter(|i| values[*i] <= threshold).collect();
    let mut random = rng::stream(seed, 0);
    for i in (1..below.len()).rev() {
        below.swap(i, random.random_range(0..=i));
    }
    below.truncate(count);
    below
}

/// The `rank`-th smallest value, but at least zero.
fn threshold(values: &[f64], rank: usize) -> f64 {
    let mut values = values.to_vec();
    let rank = rank.clamp(1, values.len());
    values.select_nth_unstable_by(rank - 1, f64::total_cmp).1.max(0.0)
}

/// The number of families of equal size that would have the same sum of squared sizes.
fn effective_families(roots: &[usize]) -> f64 {
    let mut sizes = std::collections::BTreeMap::new();
    for root in roots {
        *sizes.entry(root).or_insert(0.0) += 1.0;
    }
    let squares: f64 = sizes.values().map(|size| size * size).sum();
    (roots.len() as f64).powi(2) / squares.max(1.0)
}

impl ModeSearch {
    /// A search from nominal draws `u: [d, n]` with the values `g` of the mode, none of them NaN.
    pub(super) fn new(u: &DMatrix<f64>, g: &[f64], chains: usize, seed: u64) -> Self {
        let threshold = threshold(g, chains);
        let below = g.iter().filter(|g| **g <= threshold).count();
        let kept = choose(g, threshold, chains, seed);
        Self {
            states: u.select_columns(&kept),
            values: kept.iter().map(|i| g[*i]).collect(),
            roots: kept,
            threshold,
            ln_p: (below as f64 / g.len() as f64).ln(),
            ln_step: FIRST_STEP.ln(),
            levels: Vec::new(),
            families: 0.0,
            proposals: Vec::new(),
            stopped: None,
        }
    }

    /// One level: chains below the threshold, a proposal from them, the next threshold.
    pub(super) fn step(
        mut self,
        settings: &Certified,
        g: &Mode<'_>,
        size: &LevelSizes,
        seed: u64,
    ) -> Result<Self, Error> {
        let level = self.levels.len();
        let seed = rng::derive(seed, "certified level", level as u64);
        let chains = self.values.len();
        let bound = self.threshold;
        let below = |_: f64, there: f64, _: f64| there <= bound;
        let states = if bound <= 0.0 { size.last } else { size.states };
        let steps = states.div_ceil(chains.max(1)).max(2);
        let moved = walk(g, (&self.states, &self.values), steps, &mut self.ln_step, seed, below)?;
        let roots: Vec<usize> = (0..moved.g.len()).map(|i| self.roots[i / steps]).collect();
        self.families = effective_families(&roots);
        let fit = Fit { rank: settings.rank(), inflation: settings.inflation() };
        let proposal = fit.run(&moved.u, &roots, seed)?;
        let failures = moved.g.iter().filter(|g| **g <= 0.0).count();
        let next = threshold(&moved.g, chains);
        self.levels.push(LevelRecord {
            level,
            threshold: bound,
            evaluations: moved.evaluations as u64,
            nan_evaluations: moved.nan_evaluations,
            failures: failures as u64,
            ess: moved.g.len() as f64,
            components: proposal.components(),
            acceptance: Some(moved.acceptance),
        });
        self.proposals.push(proposal);
        self.stopped = if bound <= 0.0 {
            Some(StopReason::Converged)
        } else if next >= bound {
            Some(StopReason::Stalled)
        } else if level + 1 >= size.most {
            Some(StopReason::Levels)
        } else {
            None
        };
        if self.stopped.is_some() {
            (self.states, self.values) = (DMatrix::zeros(0, 0), Vec::new());
            self.roots.clear();
            return Ok(self);
        }
        let inside = moved.g.iter().filter(|g| **g <= next).count();
        self.ln_p += (inside as f64 / moved.g.len() as f64).ln();
        let kept = choose(&moved.g, next, chains, rng::derive(seed, "seeds", 0));
        self.states = moved.u.select_columns(&kept);
        self.values = kept.iter().map(|i| moved.g[*i]).collect();
        self.roots = kept.iter().map(|i| roots[*i]).collect();
        self.threshold = next;
        Ok(self)
    }

    /// Whether the search reached the failures.
    pub(super) fn reached(&self) -> bool {
        self.stopped == Some(StopReason::Converged)
    }
}
