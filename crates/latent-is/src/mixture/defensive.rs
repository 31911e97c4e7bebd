//! A mixture with a share of the nominal density, which bounds every weight.

use nalgebra::{DMatrix, DMatrixView, DVector};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::error::EvalError;
use crate::math::rng;
use crate::math::special::ln_add_exp;
use crate::mixture::GaussianMixture;
use crate::model::density::Density;

/// The proposal of the final draws: $a p$ and the rest a mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The mixture part.
    pub mixture: GaussianMixture,
    /// Share $a$ of the nominal density.
    pub nominal_share: f64,
}

impl Proposal {
    /// The proposal as a density, over the nominal density it was made for.
    pub fn over<'a>(&'a self, nominal: &'a dyn Density) -> DefensiveMixture<'a> {
        DefensiveMixture { nominal, proposal: self }
    }
}

/// The density $a p + (1 - a) q$.
pub struct DefensiveMixture<'a> {
    nominal: &'a dyn Density,
    proposal: &'a Proposal,
}

impl std::fmt::Debug for DefensiveMixture<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DefensiveMixture").field("proposal", self.proposal).finish_non_exhaustive()
    }
}

impl DefensiveMixture<'_> {
    /// Log-density where the nominal log-density is already known.
    pub(crate) fn ln_pdf_given(
        &self,
        x: DMatrixView<'_, f64>,
        ln_p: &DVector<f64>,
    ) -> Result<DVector<f64>, EvalError> {
        let a = self.proposal.nominal_share;
        let ln_q = self.proposal.mixture.ln_pdf(x)?;
        Ok(ln_q.zip_map(ln_p, |q, p| ln_add_exp(a.ln() + p, (-a).ln_1p() + q)))
    }
}

impl Density for DefensiveMixture<'_> {
    fn dim(&self) -> usize {
        self.proposal.mixture.dim()
    }

    fn ln_pdf(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        self.ln_pdf_given(x, &self.nominal.ln_pdf(x)?)
    }

    fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, EvalError> {
        let mut random = rng::stream(rng::derive(seed, "part", 0), 0);
        let nominal: Vec<usize> =
            (0..n).filter(|_| random.random::<f64>() < self.proposal.nominal_share).collect();
        let mut x = self.proposal.mixture.sample(n, rng::derive(seed, "mixture", 0))?;
        let plain = self.nominal.sample(nominal.len(), rng::derive(seed, "nominal", 0))?;
        for (column, i) in plain.column_iter().zip(nominal) {
            x.set_column(i, &column);
        }
        Ok(x)
    }
}
