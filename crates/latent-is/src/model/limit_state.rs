//! The user's function: which samples are failures.

use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::error::EvalError;
use crate::model::guarded::{Panics, call_each};

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

    /// Number of failure modes `k` that [`evaluate_modes`](Self::evaluate_modes) tells apart. One, unless a limit
    /// state knows better.
    fn modes(&self) -> usize {
        1
    }

    /// Evaluates a batch of samples for each failure mode: a sample fails when any of its values is at most 0, and
    /// [`evaluate`](Self::evaluate) is their minimum.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, one sample per column
    /// - returns: `[k, n]`
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate).
    fn evaluate_modes(&self, x: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        let values = self.evaluate(x)?;
        Ok(DMatrix::from_row_slice(1, values.len(), values.as_slice()))
    }
}

impl<L: LimitState + ?Sized> LimitState for &L {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        (**self).evaluate(x)
    }

    fn modes(&self) -> usize {
        (**self).modes()
    }

    fn evaluate_modes(&self, x: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        (**self).evaluate_modes(x)
    }
}

/// A limit state from a function of one sample.
///
/// Samples are evaluated in parallel where that saves time; [`new_serial`](Self::new_serial) is for functions that must not be.
/// A panic of the function is a sample that cannot be finished: its value is NaN, it is counted, and the
/// message of the first is kept. (The panic hook still reports each one on standard error.)
///
/// ```
/// use latent_is::{FnLimitState, LimitState};
/// use nalgebra::DMatrix;
///
/// let g = FnLimitState::new(2, |x: &[f64]| 3.5 - x[0]);
/// let x = DMatrix::from_column_slice(2, 2, &[0.0, 0.0, 4.0, 0.0]);
/// assert_eq!(g.evaluate(x.as_view()).unwrap().as_slice(), &[3.5, -0.5]);
/// ```
#[derive(Clone, Debug)]
pub struct FnLimitState<F> {
    dim: usize,
    function: F,
    parallel: bool,
    panics: Panics,
}

impl<F: Fn(&[f64]) -> f64 + Sync> FnLimitState<F> {
    /// A limit state on `dim` coordinates; `function` sees one sample of length `dim` at a time, several on
    /// as many threads.
    pub fn new(dim: usize, function: F) -> Self {
        Self { dim, function, parallel: true, panics: Panics::default() }
    }

    /// The same, with one sample after the other on the thread that asks.
    pub fn new_serial(dim: usize, function: F) -> Self {
        Self { parallel: false, ..Self::new(dim, function) }
    }

    /// Panics of the function so far, those of clones included.
    pub fn panics(&self) -> u64 {
        self.panics.get().0
    }

    /// What the first panic said.
    pub fn panic_message(&self) -> Option<String> {
        self.panics.get().1
    }
}

impl<F: Fn(&[f64]) -> f64 + Sync> LimitState for FnLimitState<F> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        EvalError::check_dim(self.dim, x.nrows())?;
        let values = call_each(x, self.parallel, &self.function);
        Ok(DVector::from_vec(self.panics.record(values)))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::math::rng;

    #[test]
    fn a_panic_is_a_nan_with_its_message() {
        let g = FnLimitState::new(1, |x: &[f64]| {
            assert!(x[0] < 2.0, "too far out");
            assert!(x[0] > -2.0, "below {}", -2);
            1.0 - x[0]
        });
        let x = DMatrixView::from_slice(&[-3.0, 0.5, 2.5, 1.5], 1, 4);
        for (k, g) in [g.clone(), FnLimitState { parallel: false, ..g }].into_iter().enumerate() {
            let values = g.evaluate(x).unwrap();
            assert!(values[0].is_nan() && values[2].is_nan());
            assert_eq!(
                (values[1].to_bits(), values[3].to_bits()),
                (0.5_f64.to_bits(), (-0.5_f64).to_bits())
            );
            assert_eq!(g.panics(), 2 * (k as u64 + 1));
            assert_eq!(g.panic_message().unwrap(), "below -2");
        }
    }

    #[test]
    fn threads_change_no_value_and_the_serial_form_stays_on_its_own() {
        let x = rng::standard_normal(2, 5000, 1);
        let f = |x: &[f64]| (x[0] * 3.0).sin() + x[1];
        let serial = FnLimitState::new_serial(2, f).evaluate(x.as_view()).unwrap();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let values = pool.install(|| FnLimitState::new(2, f).evaluate(x.as_view()).unwrap());
            assert_eq!(values, serial);
        }
        // Slow enough to be split.
        let slow = |x: &[f64]| {
            thread::sleep(std::time::Duration::from_micros(300));
            f(x)
        };
        let part = x.columns(0, 50);
        let values = FnLimitState::new(2, slow).evaluate(part).unwrap();
        assert_eq!(values, serial.rows(0, 50));
        let here = thread::current().id();
        let g = FnLimitState::new_serial(2, |_: &[f64]| f64::from(thread::current().id() == here));
        assert!((g.evaluate(x.as_view()).unwrap().sum() - 5000.0).abs() < 1e-9);
    }
}
