//! The density that a flow of tilted outcomes makes with its [tilt](crate::tilt), in latent space.

use std::f64::consts::LN_2;

use nalgebra::{DMatrix, DMatrixView, DVector};
use rand::RngExt;
use tails::normal::inverse_ln_cdf;

use crate::error::EvalError;
use crate::math::rng;
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::model::tilt::Tilt;

/// Draws at once when sampling.
const BATCH: usize = 10_000;
/// Batches without a draw that is accepted, after which sampling gives up.
const PATIENCE: usize = 100;

/// The density $\varphi(u) Z / \omega(u)$ of a [tilt](crate::tilt) (2) on the latent space of a flow that learnt a tilted distribution.
#[derive(Clone, Copy)]
pub struct Tilted<'a> {
    scores: &'a dyn LimitState,
    tilt: &'a Tilt,
    ln_z: f64,
}

impl std::fmt::Debug for Tilted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tilted").field("tilt", self.tilt).finish_non_exhaustive()
    }
}

impl<'a> Tilted<'a> {
    /// The density with the scores as the modes of `scores`, a limit state on latent space, and `ln_z` $= \ln Z$, for
    /// example minus the logarithm of [`mass`](Self::mass).
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when `scores` has another number of modes than `tilt` has scores.
    pub fn new(scores: &'a dyn LimitState, tilt: &'a Tilt, ln_z: f64) -> Result<Self, EvalError> {
        EvalError::check_dim(tilt.distributions().len(), scores.modes())?;
        Ok(Self { scores, tilt, ln_z })
    }

    /// $\mathrm E_r[1 / \omega]$ from `n` draws of the flow: $1 / Z$, and one if the flow has learnt its density.
    ///
    /// # Errors
    /// [`EvalError`] when the scores cannot be evaluated.
    pub fn mass(
        scores: &'a dyn LimitState,
        tilt: &'a Tilt,
        n: usize,
        seed: u64,
    ) -> Result<f64, EvalError> {
        let plain = Self::new(scores, tilt, 0.0)?;
        let u = StandardNormal::new(scores.dim()).sample(n, seed)?;
        Ok(plain.ln_ratio(u.as_view())?.map(f64::exp).mean())
    }

    /// $\ln (Z / \omega(u))$: the logarithm of the weight of a draw of the flow.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`; returns `[n]`
    ///
    /// # Errors
    /// [`EvalError`] when the scores cannot be evaluated.
    pub fn ln_ratio(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let values = self.scores.evaluate_modes(u)?;
        let ln_omega = self.tilt.ln_omega(values.as_view())?;
        Ok(ln_omega.map(|ln| self.ln_z - ln))
    }
}

impl Density for Tilted<'_> {
    fn dim(&self) -> usize {
        self.scores.dim()
    }

    fn ln_pdf(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        Ok(StandardNormal::new(self.dim()).ln_pdf(u)? + self.ln_ratio(u)?)
    }

    /// Draws by rejection: $1 / \omega$ has an upper bound, and of the draws of the flow a share of at least $\alpha$
    /// is accepted where the flow has learnt its density.
    fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, EvalError> {
        let d = self.dim();
        let most = self.ln_z - self.tilt.ln_least();
        let (mut flat, mut fruitless) = (Vec::with_capacity(n * d), 0);
        for batch in 0.. {
            if flat.len() >= n * d {
                break;
            }
            let u = rng::standard_normal(d, BATCH, rng::derive(seed, "batch", batch));
            let mut random = rng::stream(rng::derive(seed, "accept", batch), 0);
            let before = flat.len();
            for (u, ln_ratio) in u.column_iter().zip(self.ln_ratio(u.as_view())?.iter()) {
                if random.random::<f64>().ln() <= ln_ratio - most {
                    flat.extend(u.iter());
                }
            }
            fruitless = if flat.len() == before { fruitless + 1 } else { 0 };
            if fruitless == PATIENCE {
                return Err(EvalError::failed("the flow draws nothing where the density is"));
            }
        }
        flat.truncate(n * d);
        Ok(DMatrix::from_vec(d, n, flat))
    }
}

/// The $z$ with $\log \Phi(z) = l$.
fn normal_quantile(ln_p: f64) -> f64 {
    if ln_p <= -LN_2 { inverse_ln_cdf(ln_p) } else { -inverse_ln_cdf((-ln_p.exp()).ln_1p()) }
}

/// An event under a [`Tilted`] density, as one under the standard normal density with one coordinate more, for
/// estimators that work in standard normal space alone.
///
/// With $v \sim \mathcal N(0, 1)$ and $\omega_0$ the lower bound of $\omega$,
///
/// $$ P = \frac{Z}{\omega_0} P\Bigl[g(u) \le 0, \enspace \Phi(v) \le \frac{\omega_0}{\omega(u)}\Bigr]. \tag{3} $$
#[derive(Clone, Copy)]
pub struct TiltedLimitState<'a> {
    g: &'a dyn LimitState,
    density: &'a Tilted<'a>,
}

impl std::fmt::Debug for TiltedLimitState<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TiltedLimitState").field("density", self.density).finish_non_exhaustive()
    }
}

impl<'a> TiltedLimitState<'a> {
    /// The event `g`, a limit state on latent space, under `density`.
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when the dimensions differ.
    pub fn new(g: &'a dyn LimitState, density: &'a Tilted<'a>) -> Result<Self, EvalError> {
        EvalError::check_dim(density.dim(), g.dim())?;
        Ok(Self { g, density })
    }

    /// $\ln (Z / \omega_0)$: what to add to the logarithm of the probability of this limit state for that of the event.
    pub fn ln_factor(&self) -> f64 {
        self.density.ln_z - self.density.tilt.ln_least()
    }
}

impl LimitState for TiltedLimitState<'_> {
    fn dim(&self) -> usize {
        self.g.dim() + 1
    }

    fn evaluate(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        EvalError::check_dim(self.dim(), u.nrows())?;
        let latent = u.rows(0, self.g.dim()).clone_owned();
        let values = self.g.evaluate(latent.as_view())?;
        let ln_ratio = self.density.ln_ratio(latent.as_view())?;
        let value = |(j, g): (usize, &f64)| {
            let ln_p = ln_ratio[j] - self.ln_factor();
            // NaN stays NaN.
            if g.is_nan() { *g } else { g.max(u[(latent.nrows(), j)] - normal_quantile(ln_p)) }
        };
        Ok(DVector::from_iterator(values.len(), values.iter().enumerate().map(value)))
    }
}
