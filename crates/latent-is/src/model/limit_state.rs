//! The user's function: which samples are failures.

use nalgebra::{DMatrixView, DVector};

use crate::error::EvalError;

/// A limit-state function $g$: a sample `x` is a failure when $g(x) \le 0$.
pub trait LimitState: Sync {
    /// Number of input coordinates `d`.
    fn dim(&self) -> usize;

    /// Evaluates a batch of samples. A sample the function cannot finish comes back as NaN; the
    /// run counts it.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, one sample per column
    /// - returns: `[n]`, in the order of the columns
    ///
    /// # Errors
    /// [`EvalError`] when the batch as a whole cannot be evaluated.
    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError>;
}

impl<L: LimitState + ?Sized> LimitState for &L {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        (**self).evaluate(x)
    }
}

/// A limit state from a function of one sample.
///
/// ```
/// use latent_is::{FnLimitState, LimitState};
/// use nalgebra::DMatrix;
///
/// let g = FnLimitState::new(2, |x: &[f64]| 3.5 - x[0]);
/// let x = DMatrix::from_column_slice(2, 2, &[0.0, 0.0, 4.0, 0.0]);
/// assert_eq!(g.evaluate(x.as_view()).unwrap().as_slice(), &[3.5, -0.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FnLimitState<F> {
    dim: usize,
    function: F,
}

impl<F: Fn(&[f64]) -> f64 + Sync> FnLimitState<F> {
    /// A limit state on `dim` coordinates; `function` sees one sample of length `dim` at a time.
    pub fn new(dim: usize, function: F) -> Self {
        Self { dim, function }
    }
}

impl<F: Fn(&[f64]) -> f64 + Sync> LimitState for FnLimitState<F> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        EvalError::check_dim(self.dim, x.nrows())?;
        let mut sample = vec![0.0; self.dim];
        Ok(DVector::from_iterator(
            x.ncols(),
            x.column_iter().map(|column| {
                sample.iter_mut().zip(column.iter()).for_each(|(s, v)| *s = *v);
                (self.function)(&sample)
            }),
        ))
    }
}
