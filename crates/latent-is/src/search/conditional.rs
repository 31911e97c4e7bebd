//! Adaptive conditional sampling: Metropolis steps that leave the standard normal distribution alone.
//!
//! $$ v = \sqrt{1 - \beta^2} u + \beta z, \quad z \sim \mathcal N(0, I). \tag{7} $$
//!
//! The Gaussian cancels in the acceptance ratio, which therefore does not decay with the dimension.
//! $\beta$ adapts from group to group of chains towards an acceptance of 0.44 and is fixed within one.
//!
//! # References
//! - I. Papaioannou, W. Betz, K. Zwirglmaier, D. Straub: MCMC algorithms for subset simulation.
//!   *Probabilistic Engineering Mechanics* 41 (2015), 89–103.

use nalgebra::DMatrix;
use rand::RngExt;

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::model::limit_state::LimitState;

/// Acceptance that the step size aims at.
pub(crate) const ACCEPTANCE: f64 = 0.44;
/// Step size before anything is known of the acceptance.
pub(crate) const FIRST_STEP: f64 = 0.6;
/// Groups of chains after each of which the step size adapts.
const GROUPS: usize = 10;

/// The states of all chains, one chain after the other.
pub(crate) struct Moved {
    /// The states, `[d, chains * steps]`.
    pub(crate) u: DMatrix<f64>,
    /// Their limit-state values.
    pub(crate) g: Vec<f64>,
    pub(crate) evaluations: usize,
    /// NaN candidates; they count as far from failing.
    pub(crate) nan_evaluations: u64,
    /// Share of accepted candidates.
    pub(crate) acceptance: f64,
}

/// Runs a chain of `steps` states from each column of `start`, which is its first state, with the
/// value `values`. A candidate is taken when `accept` says so of the value here, the value there and a
/// uniform number. `ln_step` is the logarithm of the step size and adapts.
pub(crate) fn walk(
    g: &dyn LimitState,
    (start, values): (&DMatrix<f64>, &[f64]),
    steps: usize,
    ln_step: &mut f64,
    seed: u64,
    accept: impl Fn(f64, f64, f64) -> bool,
) -> Result<Moved, Error> {
    let (d, n) = start.shape();
    let mut u = DMatrix::zeros(d, n * steps);
    let mut at = vec![0.0; n * steps];
    let (mut accepted, mut evaluations, mut nan_evaluations) = (0, 0, 0);
    for (group, chains) in (0..n).collect::<Vec<_>>().chunks(n.div_ceil(GROUPS)).enumerate() {
        let beta = ln_step.exp().min(1.0);
        let mut hits = 0;
        for chain in chains {
            u.set_column(chain * steps, &start.column(*chain));
            at[chain * steps] = values[*chain];
        }
        for step in 1..steps {
            let index = (group * steps + step) as u64;
            let mut v = rng::standard_normal(d, chains.len(), rng::derive(seed, "move", index));
            let mut random = rng::stream(rng::derive(seed, "accept", index), 0);
            v *= beta;
            for (mut candidate, chain) in v.column_iter_mut().zip(chains) {
                let state = u.column(chain * steps + step - 1);
                candidate.axpy((1.0 - beta * beta).sqrt(), &state, 1.0);
            }
            let there = g.evaluate(v.as_view())?;
            EvalError::check_dim(chains.len(), there.len())?;
            for ((candidate, value), chain) in v.column_iter().zip(&there).zip(chains) {
                let next = chain * steps + step;
                nan_evaluations += u64::from(value.is_nan());
                if accept(at[next - 1], clamp_nan(*value), random.random()) {
                    u.set_column(next, &candidate);
                    at[next] = clamp_nan(*value);
                    hits += 1;
                } else {
                    let last = u.column(next - 1).clone_owned();
                    u.set_column(next, &last);
                    at[next] = at[next - 1];
                }
            }
        }
        let tried = chains.len() * (steps - 1);
        accepted += hits;
        evaluations += tried;
        let excess = hits as f64 / tried.max(1) as f64 - ACCEPTANCE;
        *ln_step = (*ln_step + excess / ((group + 1) as f64).sqrt()).min(0.0);
    }
    let acceptance = accepted as f64 / evaluations.max(1) as f64;
    Ok(Moved { u, g: at, evaluations, nan_evaluations, acceptance })
}

/// A limit-state value that a state can store and compare; NaN becomes a large value, far from failing.
pub(crate) fn clamp_nan(value: f64) -> f64 {
    if value.is_nan() { f64::MAX } else { value.clamp(f64::MIN, f64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::limit_state::FnLimitState;
    use crate::search::smooth::ln_indicator;

    fn last_states(moved: &Moved, steps: usize) -> Vec<f64> {
        (0..moved.u.ncols() / steps).map(|i| moved.u[(0, i * steps + steps - 1)]).collect()
    }

    #[test]
    fn chains_leave_the_conditional_law_invariant() {
        // The standard normal beyond one standard deviation has mean phi(1) / Phi(-1) = 1.525135 and
        // standard deviation 0.446204. Chains start at independent draws of that distribution, so the last
        // states of the chains are independent draws of it as well.
        let g = FnLimitState::new(3, |u: &[f64]| 1.0 - u[0]);
        let u = rng::standard_normal(3, 40_000, 9);
        let beyond: Vec<usize> = (0..u.ncols()).filter(|i| u[(0, *i)] >= 1.0).collect();
        let start = u.select_columns(&beyond);
        let values: Vec<f64> = start.row(0).iter().map(|u| 1.0 - u).collect();
        let below = |_: f64, there: f64, _: f64| there <= 0.0;
        let mut ln_step = FIRST_STEP.ln();
        let moved = walk(&g, (&start, &values), 20, &mut ln_step, 3, below).unwrap();
        let last = last_states(&moved, 20);
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        let z = (mean - 1.525_135) / (0.446_204 / (last.len() as f64).sqrt());
        assert!(z.abs() < 4.0, "z = {z:.2}");
        assert!((moved.acceptance - ACCEPTANCE).abs() < 0.1, "{}", moved.acceptance);
    }

    #[test]
    fn a_smooth_indicator_is_the_law_of_long_chains() {
        // phi(u) Phi((u - 1) / 0.5) is the distribution of u given that u - 0.5 e >= 1 with e another standard
        // normal: its mean is phi(t) / (s Phi(-t)) with s^2 = 1 + 0.5^2, t = 1 / s.
        let g = FnLimitState::new(2, |u: &[f64]| 1.0 - u[0]);
        let (n, steps) = (20_000, 60);
        let start = rng::standard_normal(2, n, 4);
        let values: Vec<f64> = start.row(0).iter().map(|u| 1.0 - u).collect();
        let weight = |g: f64| ln_indicator(g, Some(0.5));
        let accept = |here: f64, there: f64, u: f64| u.ln() < weight(there) - weight(here);
        let moved = walk(&g, (&start, &values), steps, &mut FIRST_STEP.ln(), 5, accept).unwrap();
        let last = last_states(&moved, steps);
        let mean = last.iter().sum::<f64>() / n as f64;
        let sd = (last.iter().map(|u| (u - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
        let s = 1.25_f64.sqrt();
        let t = 1.0 / s;
        let expected =
            crate::math::special::normal_pdf(t) / (s * crate::math::special::normal_cdf(-t));
        let z = (mean - expected) / (sd / (n as f64).sqrt());
        assert!(z.abs() < 4.0, "z = {z:.2}: {mean} against {expected}");
    }
}
