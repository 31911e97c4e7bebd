//! A surrogate as control variate for the true event.
//!
//! With $S$ the true event, $S'$ the surrogate's and one frozen proposal $q$ for both,
//!
//! $$ P = P(S') + \mathrm E_q\big[(\mathbf 1_S - \mathbf 1_{S'}) p/q\big], \tag{15} $$
//!
//! the first term from many draws of the cheap surrogate, the second from few of the true limit state,
//! on independent streams. Where the events overlap well the second term hardly varies. Where they
//! do not, the plain estimate of $S$ on the same draws, equation (14), is better: the draws are split in
//! two halves, and the estimated variances on each half choose the estimate on the other, which keeps
//! the mean of both unbiased.

use nalgebra::DVector;
use serde::{Deserialize, Serialize};

use crate::error::{Error, EvalError};
use crate::math::rng;
use crate::mixture::defensive::Proposal;
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::draws::Draws;
use crate::result::estimate::Estimate;

/// Draws of one batch of the surrogate.
const BATCH: usize = 10_000;

/// How many draws the two terms get. See the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoLevel {
    /// Draws of the surrogate alone, for the first term: $N$.
    pub surrogate_draws: u64,
    /// Draws of surrogate and true limit state, for the second: $n$.
    pub draws: u64,
}

impl Default for TwoLevel {
    /// 100 000 draws of the surrogate and 2000 of the true limit state.
    fn default() -> Self {
        Self { surrogate_draws: 100_000, draws: 2000 }
    }
}

/// Which estimate a half of the draws was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Correction {
    /// The true event alone, equation (14).
    Direct,
    /// The surrogate as control variate, equation (15).
    TwoLevel,
}

/// A corrected estimate and how it came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Corrected {
    /// The estimate of the true event. Its sample, tail shape and largest share are those of the
    /// true event's draws.
    pub estimate: Estimate,
    /// What was chosen for the first and the second half of the draws.
    pub chosen: [Correction; 2],
    /// Probability of the surrogate event.
    pub surrogate_pf: f64,
}

/// Mean and variance of the mean.
#[derive(Clone, Copy)]
struct Mean {
    value: f64,
    variance: f64,
}

impl Mean {
    fn of(terms: &[f64]) -> Self {
        let n = terms.len() as f64;
        let value = terms.iter().sum::<f64>() / n;
        let squares: f64 = terms.iter().map(|t| (t - value).powi(2)).sum();
        Self { value, variance: squares / (n - 1.0) / n }
    }
}

impl TwoLevel {
    /// Estimates the probability of `g` failing with draws from `proposal`.
    ///
    /// # Errors
    /// [`Error::TooFew`] with fewer than 100 draws of either kind, [`Error::Evaluation`] when a limit
    /// state or the nominal density fails or the dimensions differ.
    pub fn run(
        &self,
        nominal: &dyn Density,
        surrogate: &dyn LimitState,
        g: &dyn LimitState,
        proposal: &Proposal,
        seed: u64,
    ) -> Result<Corrected, Error> {
        for dim in [surrogate.dim(), g.dim(), proposal.mixture.dim()] {
            EvalError::check_dim(nominal.dim(), dim)?;
        }
        for draws in [self.draws, self.surrogate_draws] {
            Error::at_least("a two-level estimate", 100, draws as usize)?;
        }
        let q = proposal.over(nominal);
        let weighted = |n: usize, seed| -> Result<_, Error> {
            let x = q.sample(n, seed)?;
            let ln_p = nominal.ln_pdf(x.as_view())?;
            let ln_w = &ln_p - q.ln_pdf_given(x.as_view(), &ln_p)?;
            Ok((x, ln_w))
        };
        let mut cheap = Vec::new();
        for batch in 0.. {
            let n = (self.surrogate_draws - cheap.len() as u64).min(BATCH as u64) as usize;
            if n == 0 {
                break;
            }
            let (x, ln_w) = weighted(n, rng::derive(seed, "surrogate term", batch))?;
            cheap.extend(terms(&evaluated(surrogate, &x)?, &ln_w));
        }
        let (x, ln_w) = weighted(self.draws as usize, rng::derive(seed, "difference", 0))?;
        let values = evaluated(g, &x)?;
        let (h, h_cheap) = (terms(&values, &ln_w), terms(&evaluated(surrogate, &x)?, &ln_w));
        let difference: Vec<f64> = h.iter().zip(&h_cheap).map(|(a, b)| a - b).collect();

        let mut draws = Draws::new(g.dim());
        draws.add(x.as_view(), &values, &ln_w, -proposal.nominal_share.ln());
        let mut estimate = draws.estimate();
        let first = Mean::of(&cheap);
        let middle = h.len() / 2;
        let halves = [0..middle, middle..h.len()];
        let chosen = [1, 0].map(|other: usize| {
            let part = halves[other].clone();
            let both = first.variance + Mean::of(&difference[part.clone()]).variance / 2.0;
            let alone = Mean::of(&h[part]).variance / 2.0;
            if both < alone { Correction::TwoLevel } else { Correction::Direct }
        });
        let (mut value, mut variance, mut share) = (0.0, 0.0, 0.0);
        for (part, choice) in halves.into_iter().zip(&chosen) {
            let weight = part.len() as f64 / h.len() as f64;
            let mean = match choice {
                Correction::Direct => Mean::of(&h[part]),
                Correction::TwoLevel => {
                    share += weight;
                    Mean::of(&difference[part])
                }
            };
            value += weight * mean.value;
            variance += weight * weight * mean.variance;
        }
        value += share * first.value;
        variance += share * share * first.variance;
        // A difference that outweighs the surrogate's probability is no estimate: the plain one stays.
        if share > 0.0 && value > 0.0 {
            estimate.ln_pf = value.ln().min(0.0);
            estimate.cov = variance.sqrt() / value;
            estimate.weights.ess =
                if variance > 0.0 { value * value / variance } else { self.draws as f64 };
        }
        estimate.counts.surrogate_evaluations = self.surrogate_draws + self.draws;
        estimate.proposal = Some(proposal.clone());
        Ok(Corrected { estimate, chosen, surrogate_pf: first.value })
    }
}

fn evaluated(g: &dyn LimitState, x: &nalgebra::DMatrix<f64>) -> Result<DVector<f64>, Error> {
    let values = g.evaluate(x.as_view())?;
    EvalError::check_dim(x.ncols(), values.len())?;
    Ok(values)
}

/// The terms $\mathbf 1\lbrace g \le 0\rbrace p/q$.
fn terms(values: &DVector<f64>, ln_w: &DVector<f64>) -> Vec<f64> {
    values.iter().zip(ln_w).map(|(g, w)| if *g <= 0.0 { w.exp() } else { 0.0 }).collect()
}
