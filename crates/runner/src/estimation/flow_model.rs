//! A flow with the features that follow from its own.

use flow_core::{Completion, FlowError, bijection::Standardise};
use latent_is::{EvalError, FlowTransport, LimitState};
use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::criterion::FailureCriterion;

/// A flow of all features, or of the free ones with the regression of the others on them.
pub struct FlowModel {
    /// The flow as a map, to standardised features.
    pub transport: FlowTransport,
    /// The regression.
    pub completion: Option<Completion>,
}

impl FlowModel {
    /// Means and standard deviations of all features.
    pub fn moments(&self) -> &Standardise {
        match &self.completion {
            Some(completion) => completion.moments(),
            None => self.transport.flow().standardise(),
        }
    }

    /// All features of outcomes of the flow.
    ///
    /// # Shapes
    /// - `y_std`: `[m, n]`, standardised; returns `[d, n]`, standardised
    ///
    /// # Errors
    /// [`FlowError`] when a number is not finite.
    pub fn complete(&self, y_std: DMatrix<f64>) -> Result<DMatrix<f64>, FlowError> {
        match &self.completion {
            Some(completion) => completion.complete(y_std.as_view()),
            None => Ok(y_std),
        }
    }

    /// `criterion` as a function of the features of the flow.
    pub fn limit_state<'a>(&'a self, criterion: &'a FailureCriterion) -> CompletedLimitState<'a> {
        let dim = self.transport.flow().features();
        CompletedLimitState { criterion, completion: self.completion.as_ref(), dim }
    }
}

/// A criterion on all features as a limit state on those of the flow, standardised.
#[derive(Clone, Copy, Debug)]
pub struct CompletedLimitState<'a> {
    criterion: &'a FailureCriterion,
    completion: Option<&'a Completion>,
    dim: usize,
}

impl LimitState for CompletedLimitState<'_> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, y_std: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        match self.completion {
            Some(completion) => {
                let x_std = completion.complete(y_std).map_err(EvalError::failed)?;
                self.criterion.evaluate(x_std.as_view())
            }
            None => self.criterion.evaluate(y_std),
        }
    }
}
