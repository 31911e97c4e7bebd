//! One failure mode of a limit state.

use nalgebra::{DMatrixView, DVector};

use crate::error::EvalError;
use crate::model::limit_state::LimitState;

/// Mode `index` of `g`, as a limit state.
pub(super) struct Mode<'a> {
    pub(super) g: &'a dyn LimitState,
    pub(super) index: usize,
}

impl LimitState for Mode<'_> {
    fn dim(&self) -> usize {
        self.g.dim()
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        Ok(self.g.evaluate_modes(x)?.row(self.index).transpose())
    }
}
