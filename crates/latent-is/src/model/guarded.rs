//! Calls of the user's function that survive its panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use nalgebra::DMatrixView;
use rayon::prelude::*;

/// Calls `f` for each column of `x`, in order of the columns whatever the number of threads; a panic
/// becomes its message.
pub(crate) fn call_each(
    x: DMatrixView<'_, f64>,
    parallel: bool,
    f: impl Fn(&[f64]) -> f64 + Sync,
) -> Vec<Result<f64, String>> {
    let call = |sample: &mut Vec<f64>, j: usize| {
        sample.clear();
        sample.extend(x.column(j).iter());
        catch_unwind(AssertUnwindSafe(|| f(sample))).map_err(|payload| message(&*payload))
    };
    // A batch of one is not worth a visit to the thread pool.
    if parallel && x.ncols() > 1 {
        (0..x.ncols()).into_par_iter().map_init(Vec::new, call).collect()
    } else {
        let mut sample = Vec::new();
        (0..x.ncols()).map(|j| call(&mut sample, j)).collect()
    }
}

/// What a panic says.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

/// How many panics there were, and what the first one said. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panics(Arc<Mutex<(u64, Option<String>)>>);

impl Panics {
    /// The values, with NaN for each panic, which is counted.
    pub(crate) fn record(&self, results: Vec<Result<f64, String>>) -> Vec<f64> {
        results
            .into_iter()
            .map(|result| {
                result.unwrap_or_else(|message| {
                    let mut panics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                    panics.0 += 1;
                    panics.1.get_or_insert(message);
                    f64::NAN
                })
            })
            .collect()
    }

    /// The number so far and the message of the first.
    pub(crate) fn get(&self) -> (u64, Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
