//! Criteria on the outcomes of a model.

use nalgebra::DMatrixView;
use sim_core::FailureKind;

use crate::error::EvalError;
use crate::model::guarded::call_each;

/// The value of a criterion for one outcome, a failure where it is at most 0, or why there is none.
pub type Judgement<T = f64> = Result<T, (FailureKind, String)>;

/// A criterion on the outcomes of a model, for [`ModelLimitState`](crate::ModelLimitState).
///
/// Every function of one outcome is one: its values are found in parallel, and its panic is a judgement that is
/// missing ([`FailureKind::Crashed`]). Implement the trait for a criterion that judges many outcomes at a time.
pub trait Judge: Sync {
    /// Judges outcomes, in their order.
    ///
    /// # Shapes
    /// - `outputs`: `[d, n]`; returns `[n]`
    ///
    /// # Errors
    /// [`EvalError`] when no outcome can be judged at all; it ends the run.
    fn judge(&self, outputs: DMatrixView<'_, f64>) -> Result<Vec<Judgement>, EvalError>;

    /// Number of failure modes `k` that [`judge_modes`](Self::judge_modes) tells apart. One, unless a criterion knows
    /// better.
    fn modes(&self) -> usize {
        1
    }

    /// Judges outcomes for each failure mode: an outcome fails when any of its values is at most 0.
    ///
    /// # Shapes
    /// - `outputs`: `[d, n]`; returns `[n]`, each `[k]`
    ///
    /// # Errors
    /// As for [`judge`](Self::judge).
    fn judge_modes(
        &self,
        outputs: DMatrixView<'_, f64>,
    ) -> Result<Vec<Judgement<Vec<f64>>>, EvalError> {
        Ok(self.judge(outputs)?.into_iter().map(|value| value.map(|value| vec![value])).collect())
    }
}

impl<F: Fn(&[f64]) -> f64 + Sync> Judge for F {
    fn judge(&self, outputs: DMatrixView<'_, f64>) -> Result<Vec<Judgement>, EvalError> {
        let values = call_each(outputs, true, self);
        let missing = |message| (FailureKind::Crashed, format!("criterion: {message}"));
        Ok(values.into_iter().map(|value| value.map_err(missing)).collect())
    }
}
