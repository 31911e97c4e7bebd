//! The end of a sequential search: its own estimate and the proposal for the final draws.

use super::{Moves, Sequential, SequentialState};
use crate::error::Error;
use crate::math::rng;
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::estimate::LevelRecord;
use crate::search::pool::Batch;
use crate::search::smooth::{fit_width, ln_failure, ln_indicator, ln_mean_exp, ln_to_failure};

impl Sequential {
    /// The product estimate (5) and the mixture for the final draws, fitted to the failing points
    /// after the last move.
    pub(super) fn conclude(&self, seed: u64, state: &mut SequentialState) -> Result<(), Error> {
        let particles = state.particles.as_ref().expect("a level leaves particles");
        let ln_w = ln_to_failure(&particles.g, state.sigma);
        // Before the first narrowing the indicator is constant and cancels.
        let product = state.ln_z
            + ln_mean_exp(&ln_w)
            + if state.sigma.is_none() { ln_indicator(1.0, None) } else { 0.0 };
        state.ln_pf = product.is_finite().then_some(product);
        let fit_seed = rng::derive(seed, "final fit", 0);
        let flat = vec![0.0; particles.len()];
        let fitted = if self.moves == Moves::Conditional {
            // The particles that are still on the way count as well: a chain gives few that differ.
            Some(self.search.fit.fit(particles.x.as_view(), &flat, fit_seed)?)
        } else if self.search.pooled && state.pool.failures() > 0 {
            let ln_w: Vec<f64> = state
                .pool
                .ln_weights()
                .zip(&state.pool.g)
                .map(|(w, g)| w + ln_failure(*g))
                .collect();
            Some(self.search.fit.fit(state.pool.x.as_view(), &ln_w, fit_seed)?)
        } else if ln_w.iter().any(|w| w.is_finite()) {
            Some(self.search.fit.fit(particles.x.as_view(), &ln_w, fit_seed)?)
        } else if state.proposal.is_none() {
            Some(self.search.fit.fit(particles.x.as_view(), &flat, fit_seed)?)
        } else {
            None
        };
        if let Some(fitted) = fitted {
            state.proposal = Some(state.widened(fitted.mixture, self.search.explore)?);
        }
        Ok(())
    }

    /// Draws from the final proposal and fits it again with them.
    pub(super) fn refine(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
        state: &mut SequentialState,
    ) -> Result<LevelRecord, Error> {
        let q = state.proposal.take().ok_or(Error::Weights)?;
        let n = self.search.samples_per_level(g.dim());
        let x = q.sample(n, rng::derive(seed, "draws", 0))?;
        let (batch, _) = Batch::evaluate(nominal, g, &x)?;
        state.pool.add(&batch, Some(&q))?;
        let ln_w: Vec<f64> = state.pool.ln_weights().collect();
        // Independence candidates have led the pool to the event; after conditional moves it starts
        // with the draws of the first fit and may need the smooth indicator again.
        let min_ess = match self.moves {
            Moves::Independence => f64::MIN_POSITIVE,
            Moves::Conditional => n as f64 / (1.0 + self.weight_cov * self.weight_cov),
        };
        let (threshold, factors) = fit_width(&state.pool.g, &ln_w, None, min_ess);
        let ln_w: Vec<f64> = ln_w.iter().zip(factors).map(|(w, f)| w + f).collect();
        let fit_seed = rng::derive(seed, "fit", 0);
        let fitted = self.search.fit.fit(state.pool.x.as_view(), &ln_w, fit_seed)?;
        let mut share = self.search.explore;
        if let (Moves::Conditional, Some(explorer)) = (self.moves, &mut state.explorer) {
            explorer.follow(&state.pool)?;
            share = explorer.level_share(share);
        }
        let record = LevelRecord {
            level: state.levels.len(),
            threshold,
            evaluations: n as u64,
            nan_evaluations: batch.nan_evaluations,
            failures: batch.failures(),
            ess: fitted.ess,
            components: fitted.mixture.len(),
            acceptance: None,
        };
        state.proposal = Some(state.widened(fitted.mixture, share)?);
        Ok(record)
    }
}
