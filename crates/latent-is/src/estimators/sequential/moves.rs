//! One level: a narrower indicator, resampled particles, and their moves.

use super::{Moves, Sequential, SequentialState, level};
use crate::error::Error;
use crate::math::rng;
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::estimate::LevelRecord;
use crate::search::conditional::walk;
use crate::search::pool::Batch;
use crate::search::smooth::{ln_increments, ln_indicator, ln_mean_exp, narrowest, weight_cov};

impl Sequential {
    /// Narrows the smoothed indicator, resamples and moves.
    pub(super) fn advance(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: &mut SequentialState,
        particles: &Batch,
    ) -> Result<LevelRecord, Error> {
        let sigma = narrowest(&particles.g, state.sigma, |s| {
            weight_cov(&ln_increments(&particles.g, state.sigma, s)) <= self.weight_cov
        });
        let ln_w = ln_increments(&particles.g, state.sigma, sigma);
        state.ln_z += ln_mean_exp(&ln_w);
        state.sigma = Some(sigma);
        let seeds = level::resample(&ln_w, self.chains(g.dim()), rng::derive(seed, "resample", 0));
        let start = level::select(particles, &seeds);
        match self.moves {
            Moves::Independence => {
                self.independent(nominal, g, seed, state, (particles, &ln_w), &start)
            }
            Moves::Conditional => self.conditional_moves(nominal, g, seed, state, &start),
        }
    }

    /// Chains with candidates from a mixture fitted to the new target.
    fn independent(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: &mut SequentialState,
        (particles, ln_w): (&Batch, &[f64]),
        start: &Batch,
    ) -> Result<LevelRecord, Error> {
        let sigma = state.sigma;
        let fit_seed = rng::derive(seed, "fit", 0);
        let fitted = if self.search.pooled {
            let pool = &state.pool;
            let smooth = |(w, g): (f64, &f64)| w + ln_indicator(*g, sigma);
            let ln_w: Vec<f64> = pool.ln_weights().zip(&pool.g).map(smooth).collect();
            self.search.fit.fit(pool.x.as_view(), &ln_w, fit_seed)?
        } else {
            self.search.fit.fit(particles.x.as_view(), ln_w, fit_seed)?
        };
        let q = state.widened(fitted.mixture, self.search.explore)?;
        let x = q.sample(self.candidates(g.dim()), rng::derive(seed, "candidates", 0))?;
        let (candidates, kept) = Batch::evaluate(nominal, g, &x)?;
        let plan = level::Chains { steps: self.steps(g.dim()), burn_in: self.burn_in, sigma };
        let move_seed = rng::derive(seed, "accept", 0);
        let (moved, acceptance) = plan.run(&q, start, &candidates, &kept, move_seed)?;
        state.pool.add(&candidates, Some(&q))?;
        if let Some(explorer) = &mut state.explorer {
            explorer.follow(&state.pool)?;
        }
        state.particles = Some(moved);
        let record = LevelRecord {
            evaluations: x.ncols() as u64,
            nan_evaluations: candidates.nan_evaluations,
            failures: candidates.failures(),
            ess: fitted.ess,
            components: q.len(),
            ..state.record(acceptance)
        };
        state.proposal = Some(q);
        Ok(record)
    }

    /// Chains with candidates around their states; the seed of a chain is its first state.
    fn conditional_moves(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: &mut SequentialState,
        start: &Batch,
    ) -> Result<LevelRecord, Error> {
        let sigma = state.sigma;
        let accept = |here: f64, there: f64, u: f64| {
            u.ln() < ln_indicator(there, sigma) - ln_indicator(here, sigma)
        };
        let length = self.burn_in + self.steps(g.dim());
        let from = (&start.x, start.g.as_slice());
        let moved = walk(g, from, length, &mut state.ln_step, seed, accept)?;
        let kept: Vec<usize> = (0..moved.g.len()).filter(|i| i % length >= self.burn_in).collect();
        let x = moved.u.select_columns(&kept);
        let particles = Batch {
            ln_p: nominal.ln_pdf(x.as_view())?.as_slice().to_vec(),
            g: kept.iter().map(|i| moved.g[*i]).collect(),
            x,
            nan_evaluations: 0,
        };
        let record = LevelRecord {
            evaluations: moved.evaluations as u64,
            nan_evaluations: moved.nan_evaluations,
            failures: particles.failures(),
            ess: particles.len() as f64,
            ..state.record(moved.acceptance)
        };
        state.particles = Some(particles);
        Ok(record)
    }
}
