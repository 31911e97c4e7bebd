//! All points of a search with the density they were drawn from as a whole.
//!
//! With $n_m$ points from $q_m$ (the first is the nominal density), the pooled weight of a point is
//! $p(x) / \sum_m n_m q_m(x)$, the balance heuristic (9). It shapes proposals only; because later
//! proposals depend on earlier points it would bias an estimate.
//!
//! # References
//! - E. Veach, L. Guibas: Optimally combining sampling techniques for Monte Carlo rendering.
//!   SIGGRAPH (1995).

use nalgebra::{DMatrix, DMatrixView};
use serde::{Deserialize, Serialize};

use crate::error::EvalError;
use crate::math::special::ln_add_exp;
use crate::mixture::GaussianMixture;
use crate::model::density::Density;

/// Evaluated points of one proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// The points whose evaluation did not give NaN, `[d, n]`.
    pub(crate) x: DMatrix<f64>,
    /// Their limit-state values.
    pub(crate) g: Vec<f64>,
    /// Their nominal log-densities.
    pub(crate) ln_p: Vec<f64>,
    /// Number of points that gave none.
    pub(crate) nan_evaluations: u64,
}

impl Batch {
    /// Evaluates limit state and nominal density at `x`; keeps the points without NaN, and where
    /// they are in `x`.
    pub(crate) fn evaluate(
        nominal: &dyn Density,
        g: &dyn crate::model::limit_state::LimitState,
        x: &DMatrix<f64>,
    ) -> Result<(Self, Vec<usize>), EvalError> {
        let values = g.evaluate(x.as_view())?;
        EvalError::check_dim(x.ncols(), values.len())?;
        let ln_p = nominal.ln_pdf(x.as_view())?;
        let kept: Vec<usize> =
            (0..x.ncols()).filter(|i| !values[*i].is_nan() && ln_p[*i].is_finite()).collect();
        let batch = Self {
            x: x.select_columns(&kept),
            // Infinite values sort like the largest finite ones, which a state can store.
            g: kept.iter().map(|i| values[*i].clamp(f64::MIN, f64::MAX)).collect(),
            ln_p: kept.iter().map(|i| ln_p[*i]).collect(),
            nan_evaluations: (x.ncols() - kept.len()) as u64,
        };
        Ok((batch, kept))
    }

    /// Adds the points of `more`.
    pub(crate) fn append(&mut self, more: Self) {
        let before = self.len();
        let x = std::mem::replace(&mut self.x, DMatrix::zeros(0, 0));
        self.x = x.resize_horizontally(before + more.len(), 0.0);
        self.x.columns_mut(before, more.len()).copy_from(&more.x);
        self.g.extend(more.g);
        self.ln_p.extend(more.ln_p);
        self.nan_evaluations += more.nan_evaluations;
    }

    pub(crate) fn len(&self) -> usize {
        self.g.len()
    }

    /// Number of failures.
    pub(crate) fn failures(&self) -> u64 {
        self.g.iter().filter(|g| **g <= 0.0).count() as u64
    }
}

/// The points of all levels so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pool {
    pub(crate) x: DMatrix<f64>,
    pub(crate) g: Vec<f64>,
    pub(crate) ln_p: Vec<f64>,
    /// Log of $\sum_m n_m q_m$ at each point.
    ln_mixture: Vec<f64>,
    /// Points drawn from the nominal density, then from each proposal.
    nominal_draws: f64,
    sources: Vec<(f64, GaussianMixture)>,
}

impl Pool {
    /// An empty pool of points with `dim` coordinates.
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            x: DMatrix::zeros(dim, 0),
            g: Vec::new(),
            ln_p: Vec::new(),
            ln_mixture: Vec::new(),
            nominal_draws: 0.0,
            sources: Vec::new(),
        }
    }

    /// Adds points drawn from `source`, the nominal density if there is none.
    pub(crate) fn add(
        &mut self,
        batch: &Batch,
        source: Option<&GaussianMixture>,
    ) -> Result<(), EvalError> {
        let drawn = batch.len() as f64;
        match source {
            None => {
                for (mixture, ln_p) in self.ln_mixture.iter_mut().zip(&self.ln_p) {
                    *mixture = ln_add_exp(*mixture, drawn.ln() + ln_p);
                }
                self.nominal_draws += drawn;
            }
            Some(q) => {
                add_source(&mut self.ln_mixture, self.x.as_view(), drawn, q)?;
                self.sources.push((drawn, q.clone()));
            }
        }
        let mut fresh: Vec<f64> = batch.ln_p.iter().map(|p| self.nominal_draws.ln() + p).collect();
        for (drawn, q) in &self.sources {
            add_source(&mut fresh, batch.x.as_view(), *drawn, q)?;
        }
        self.ln_mixture.extend(fresh);
        self.g.extend(&batch.g);
        self.ln_p.extend(&batch.ln_p);
        let before = self.x.ncols();
        let x = std::mem::replace(&mut self.x, DMatrix::zeros(0, 0));
        self.x = x.resize_horizontally(before + batch.len(), 0.0);
        self.x.columns_mut(before, batch.len()).copy_from(&batch.x);
        Ok(())
    }

    /// Number of failures.
    pub(crate) fn failures(&self) -> usize {
        self.g.iter().filter(|g| **g <= 0.0).count()
    }

    /// Log of $\sum_m n_m q_m$ at each point.
    pub(crate) fn ln_mixture(&self) -> &[f64] {
        &self.ln_mixture
    }

    /// Log of each point's pooled weight.
    pub(crate) fn ln_weights(&self) -> impl Iterator<Item = f64> + '_ {
        self.ln_p.iter().zip(&self.ln_mixture).map(|(p, q)| p - q)
    }
}

/// Adds `drawn * q` to densities given by their logarithms.
fn add_source(
    ln_mixture: &mut [f64],
    x: DMatrixView<'_, f64>,
    drawn: f64,
    q: &GaussianMixture,
) -> Result<(), EvalError> {
    for (mixture, ln_q) in ln_mixture.iter_mut().zip(&q.ln_pdf(x)?) {
        *mixture = ln_add_exp(*mixture, drawn.ln() + ln_q);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;
    use crate::model::density::StandardNormal;
    use crate::model::limit_state::FnLimitState;

    #[test]
    fn weights_use_every_source_whatever_the_order() {
        let nominal = StandardNormal::new(2);
        let g = FnLimitState::new(2, |x: &[f64]| 1.0 - x[0]);
        let eye = DMatrix::identity(2, 2);
        let q =
            GaussianMixture::new(vec![1.0], DMatrix::from_element(2, 1, 1.0), vec![eye]).unwrap();
        let (plain, _) = Batch::evaluate(&nominal, &g, &rng::standard_normal(2, 30, 1)).unwrap();
        let (shifted, _) = Batch::evaluate(&nominal, &g, &q.sample(50, 2).unwrap()).unwrap();
        let mut pool = Pool::new(2);
        pool.add(&plain, None).unwrap();
        pool.add(&shifted, Some(&q)).unwrap();
        for (i, weight) in pool.ln_weights().enumerate() {
            let x = pool.x.columns(i, 1).clone_owned();
            let p = nominal.ln_pdf(x.as_view()).unwrap()[0].exp();
            let mix = 30.0 * p + 50.0 * q.ln_pdf(x.as_view()).unwrap()[0].exp();
            assert!((weight - (p / mix).ln()).abs() < 1e-12);
        }
        assert_eq!(pool.x.ncols(), 80);
    }
}
