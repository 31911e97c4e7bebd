//! What a NaN of the limit state means.
//!
//! | policy | a NaN counts as | estimate | interval |
//! |---|---|---|---|
//! | [`Unknown`](NanPolicy::Unknown) | neither safe nor failing, and is counted | of the failures among the other draws: a lower bound | from all NaN draws safe to all of them failing |
//! | [`Failure`](NanPolicy::Failure) | a failure on the boundary, `g = 0`, and is counted | of failing or NaN | of that event |
//! | [`Abort`](NanPolicy::Abort) | an error | none | none |
//!
//! [`Unknown`](NanPolicy::Unknown) is what every estimator does by itself; the others wrap the limit state in an [`WithNanPolicy`].

use std::sync::atomic::{AtomicU64, Ordering};

use nalgebra::{DMatrix, DMatrixView, DVector};
use serde::{Deserialize, Serialize};

use crate::error::EvalError;
use crate::model::limit_state::LimitState;

/// What a NaN evaluation counts as. See the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NanPolicy {
    /// Neither safe nor failing: it is counted and widens the interval.
    #[default]
    Unknown,
    /// A failure: for simulators that stop because the system has failed.
    Failure,
    /// An error that ends the run.
    Abort,
}

/// A limit state with a [`NanPolicy`].
///
/// ```
/// use latent_is::{FnLimitState, LimitState, NanPolicy, WithNanPolicy};
/// use nalgebra::DMatrix;
///
/// let root = FnLimitState::new(1, |x: &[f64]| x[0].sqrt() + 1.0);
/// let g = WithNanPolicy::new(root, NanPolicy::Failure);
/// let x = DMatrix::from_row_slice(1, 2, &[4.0, -1.0]);
/// assert_eq!(g.evaluate(x.as_view())?.as_slice(), &[3.0, 0.0]);
/// assert_eq!(g.nan_evaluations(), 1);
/// # Ok::<(), latent_is::EvalError>(())
/// ```
#[derive(Debug)]
pub struct WithNanPolicy<G> {
    g: G,
    policy: NanPolicy,
    nan_evaluations: AtomicU64,
}

impl<G: LimitState> WithNanPolicy<G> {
    /// `g` under `policy`; a reference works for `g`.
    pub fn new(g: G, policy: NanPolicy) -> Self {
        Self { g, policy, nan_evaluations: AtomicU64::new(0) }
    }

    /// NaN evaluations so far, whatever they counted as.
    pub fn nan_evaluations(&self) -> u64 {
        self.nan_evaluations.load(Ordering::Relaxed)
    }
}

impl<G> WithNanPolicy<G> {
    /// The values `[k, n]` of the samples `x` under the policy. A sample that fails in another mode is not NaN.
    fn applied(
        &self,
        x: DMatrixView<'_, f64>,
        mut values: DMatrix<f64>,
    ) -> Result<DMatrix<f64>, EvalError> {
        let nan = |sample: &usize| {
            let values = values.column(*sample);
            values.iter().any(|v| v.is_nan()) && !values.iter().any(|v| *v <= 0.0)
        };
        let missing: Vec<usize> = (0..values.ncols()).filter(nan).collect();
        self.nan_evaluations.fetch_add(missing.len() as u64, Ordering::Relaxed);
        match (self.policy, missing.first()) {
            (NanPolicy::Failure, _) => {
                let nan = values.iter_mut().filter(|v| v.is_nan());
                nan.for_each(|v| *v = 0.0);
            }
            (NanPolicy::Abort, Some(sample)) => {
                let (count, of) = (missing.len(), values.ncols());
                let point = x.column(*sample).iter().copied().collect();
                return Err(EvalError::NanEvaluations { count, of, point });
            }
            _ => {}
        }
        Ok(values)
    }
}

impl<G: LimitState> LimitState for WithNanPolicy<G> {
    fn dim(&self) -> usize {
        self.g.dim()
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let values = self.g.evaluate(x)?;
        let values =
            self.applied(x, DMatrix::from_row_slice(1, values.len(), values.as_slice()))?;
        Ok(values.row(0).transpose())
    }

    fn modes(&self) -> usize {
        self.g.modes()
    }

    fn evaluate_modes(&self, x: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        self.applied(x, self.g.evaluate_modes(x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::monte_carlo::MonteCarlo;
    use crate::method::estimator::Estimator;
    use crate::model::density::StandardNormal;
    use crate::model::limit_state::FnLimitState;

    /// Fails beyond 1.5 and gives NaN below -1.5.
    fn patchy() -> FnLimitState<impl Fn(&[f64]) -> f64 + Sync> {
        FnLimitState::new(1, |x: &[f64]| if x[0] < -1.5 { f64::NAN } else { 1.5 - x[0] })
    }

    #[test]
    fn unknown_draws_widen_the_interval_from_all_safe_to_all_failing() {
        let method = MonteCarlo::builder().budget(20_000).target_cov(None).build().unwrap();
        let e = method.estimate(&StandardNormal::new(1), &patchy(), 3).unwrap();
        let (one, both) = (0.066_807, 0.133_614);
        let worst = e.nan_as_failing.unwrap();
        assert!((e.pf() / one - 1.0).abs() < 0.1 && (worst.ln_pf.exp() / both - 1.0).abs() < 0.1);
        assert_eq!(worst.failures, e.counts.failures + e.counts.nan_evaluations);
        let i = e.interval(0.95);
        // As wide as both sampling errors, about 0.0018 and 0.0024, and no wider by much.
        assert!(i.contains(one) && i.contains(both) && i.contains(0.1));
        assert!(i.lower() > one - 0.008 && i.upper() < both + 0.01);
    }

    #[test]
    fn a_nan_may_count_as_a_failure_or_end_the_run() {
        let method = MonteCarlo::builder().budget(20_000).target_cov(None).build().unwrap();
        let g = WithNanPolicy::new(patchy(), NanPolicy::Failure);
        let e = method.estimate(&StandardNormal::new(1), &g, 3).unwrap();
        assert!(e.interval(0.999).contains(0.133_614) && e.counts.nan_evaluations == 0);
        assert!((g.nan_evaluations() as f64 / 20_000.0 - 0.0668).abs() < 0.01);
        let g = WithNanPolicy::new(patchy(), NanPolicy::Abort);
        let error = method.estimate(&StandardNormal::new(1), &g, 3).unwrap_err().to_string();
        assert!(error.contains("of 10000 samples"), "{error}");
    }
}
