//! The pieces of one sequential level: resampling and chains of independence steps.

use rand::RngExt;

use crate::error::EvalError;
use crate::math::rng;
use crate::math::special::ln_sum_exp;
use crate::mixture::GaussianMixture;
use crate::model::density::Density;
use crate::search::pool::Batch;
use crate::search::smooth::ln_indicator;

/// Systematic resampling of `n` indices with probabilities proportional to `exp(ln_w)`.
pub(super) fn resample(ln_w: &[f64], n: usize, seed: u64) -> Vec<usize> {
    let total = ln_sum_exp(ln_w);
    let offset: f64 = rng::stream(seed, 0).random();
    let last = ln_w.iter().rposition(|w| w.is_finite()).unwrap_or(0);
    let mut sum = 0.0;
    let mut index = 0;
    (0..n)
        .map(|i| {
            let target = (i as f64 + offset) / n as f64;
            while index < last && sum + (ln_w[index] - total).exp() <= target {
                sum += (ln_w[index] - total).exp();
                index += 1;
            }
            index
        })
        .collect()
}

/// The chosen particles.
pub(super) fn select(particles: &Batch, indices: &[usize]) -> Batch {
    Batch {
        x: particles.x.select_columns(indices),
        g: indices.iter().map(|i| particles.g[*i]).collect(),
        ln_p: indices.iter().map(|i| particles.ln_p[*i]).collect(),
        nan_evaluations: 0,
    }
}

/// Chains of independence steps at one level.
pub(super) struct Chains {
    pub(super) steps: usize,
    pub(super) burn_in: usize,
    pub(super) sigma: Option<f64>,
}

impl Chains {
    /// Runs one chain from each particle of `start`. Candidate `kept[i]` of the whole plan is
    /// `candidates[i]`; one that is missing was NaN and is rejected. Returns the states after
    /// each step and the share of accepted steps.
    pub(super) fn run(
        &self,
        q: &GaussianMixture,
        start: &Batch,
        candidates: &Batch,
        kept: &[usize],
        seed: u64,
    ) -> Result<(Batch, f64), EvalError> {
        let here = self.ln_ratios(q, start)?;
        let there = self.ln_ratios(q, candidates)?;
        let length = self.burn_in + self.steps;
        let mut at = vec![None; start.len() * length];
        kept.iter().enumerate().for_each(|(i, candidate)| at[*candidate] = Some(i));
        let mut accepted = 0;
        // A state is a seed or a candidate: an index into the two joined together.
        let mut states = Vec::with_capacity(start.len() * self.steps);
        for (chain, from) in here.iter().enumerate() {
            let mut random = rng::stream(seed, chain as u64);
            let (mut state, mut ratio) = (chain, *from);
            for step in 0..length {
                let u: f64 = random.random();
                if let Some(i) = at[chain * length + step]
                    && u.ln() < there[i] - ratio
                {
                    (state, ratio) = (start.len() + i, there[i]);
                    accepted += 1;
                }
                if step >= self.burn_in {
                    states.push(state);
                }
            }
        }
        let joined = |i: &usize| {
            if *i < start.len() { (start, *i) } else { (candidates, *i - start.len()) }
        };
        let columns: Vec<_> =
            states.iter().map(joined).map(|(batch, i)| batch.x.column(i)).collect();
        let moved = Batch {
            x: nalgebra::DMatrix::from_columns(&columns),
            g: states.iter().map(joined).map(|(batch, i)| batch.g[i]).collect(),
            ln_p: states.iter().map(joined).map(|(batch, i)| batch.ln_p[i]).collect(),
            nan_evaluations: 0,
        };
        Ok((moved, f64::from(accepted) / (start.len() * length) as f64))
    }

    /// $\log p + \log\Phi(-g/\sigma) - \log q$ of each point, the bracket of (6).
    fn ln_ratios(&self, q: &GaussianMixture, points: &Batch) -> Result<Vec<f64>, EvalError> {
        let ln_q = q.ln_pdf(points.x.as_view())?;
        Ok((0..points.len())
            .map(|i| points.ln_p[i] + ln_indicator(points.g[i], self.sigma) - ln_q[i])
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::density::StandardNormal;
    use crate::model::limit_state::FnLimitState;
    use nalgebra::DMatrix;

    #[test]
    fn systematic_resampling_keeps_expected_counts() {
        let ln_w = [0.5_f64.ln(), f64::NEG_INFINITY, 0.25_f64.ln(), 0.25_f64.ln()];
        for seed in 0..20 {
            let chosen = resample(&ln_w, 8, seed);
            let count = |i| chosen.iter().filter(|c| **c == i).count();
            assert_eq!([count(0), count(1), count(2), count(3)], [4, 0, 2, 2]);
        }
    }

    #[test]
    fn chains_leave_their_target_invariant() {
        // Target: standard normal times Phi((x - 1) / 0.5), in one coordinate; its mean by the
        // trapezoidal rule. Candidates come from a wider normal that is not the target. Twenty
        // thousand chains of ten steps start at zero; burn-in removes what is left of the start.
        let (nominal, sigma, n) = (StandardNormal::new(1), Some(0.5), 20_000);
        let g = FnLimitState::new(1, |x: &[f64]| 1.0 - x[0]);
        let mean = DMatrix::from_element(1, 1, 0.8);
        let wide = DMatrix::from_element(1, 1, 1.5);
        let q = GaussianMixture::new(vec![1.0], mean, vec![wide]).unwrap();
        let (start, _) = Batch::evaluate(&nominal, &g, &DMatrix::zeros(1, n)).unwrap();
        let plan = Chains { steps: 1, burn_in: 40, sigma };
        let x = q.sample(n * 41, 5).unwrap();
        let (candidates, kept) = Batch::evaluate(&nominal, &g, &x).unwrap();
        let (moved, acceptance) = plan.run(&q, &start, &candidates, &kept, 6).unwrap();
        let grid = (-8000..=8000).map(|i| f64::from(i) * 1e-3);
        let (mut mass, mut first, mut second) = (0.0, 0.0, 0.0);
        for t in grid {
            let f = (-0.5 * t * t + ln_indicator(1.0 - t, sigma)).exp();
            mass += f;
            first += f * t;
            second += f * t * t;
        }
        let (expected, sd) = (first / mass, (second / mass - (first / mass).powi(2)).sqrt());
        let z = (moved.x.mean() - expected) / (sd / (n as f64).sqrt());
        assert!(z.abs() < 4.0, "z = {z:.2}");
        assert!(acceptance > 0.2 && acceptance < 1.0);
    }
}
