//! How the proposal of the next level comes from the points so far, and how well it did.

use crate::error::{Error, EvalError};
use crate::mixture::GaussianMixture;
use crate::mixture::fit::{Fitted, MixtureFit};
use crate::model::density::Density;
use crate::result::diagnostics::effective_sample_size;
use crate::search::explore::Explorer;
use crate::search::pool::{Batch, Pool};

/// How the proposal of the next level comes from the points so far.
pub(crate) trait Propose {
    /// A mixture for the points of `pool` with log-weights `ln_w`, minus infinity where a point takes no
    /// part; a share of the explorer will be blended in.
    fn propose(
        &self,
        pool: &Pool,
        ln_w: &[f64],
        explorer: Option<&Explorer>,
        seed: u64,
    ) -> Result<Fitted, Error>;

    /// Failures in a level with which the next proposal aims at the failure event itself, whatever share
    /// of the draws they are.
    fn min_failures(&self) -> u64 {
        u64::MAX
    }
}

impl Propose for MixtureFit {
    fn propose(
        &self,
        pool: &Pool,
        ln_w: &[f64],
        _explorer: Option<&Explorer>,
        seed: u64,
    ) -> Result<Fitted, Error> {
        self.fit(pool.x.as_view(), ln_w, seed)
    }
}

/// Relative variance of one draw from `q` as an estimate of the failure probability; none without a
/// failure.
pub(super) fn spread(batch: &Batch, q: &GaussianMixture) -> Result<Option<f64>, EvalError> {
    let ln_q = q.ln_pdf(batch.x.as_view())?;
    let terms = batch.g.iter().zip(&batch.ln_p).zip(&ln_q).filter(|((g, _), _)| **g <= 0.0);
    let ln_h: Vec<f64> = terms.map(|((_, p), q)| p - q).collect();
    let ess = effective_sample_size(&ln_h);
    Ok((ess > 0.0).then(|| batch.len() as f64 / ess - 1.0))
}
