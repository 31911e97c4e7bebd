//! Calls of the user's function that survive its panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nalgebra::DMatrixView;
use rayon::prelude::*;

/// Work that is worth the cost of splitting it over threads, some ten microseconds.
const WORTH_A_SPLIT: Duration = Duration::from_micros(100);

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
    let mut sample = Vec::new();
    if x.ncols() == 0 {
        return Vec::new();
    }
    // The first call tells whether the rest is worth a visit to the thread pool. Values do not depend on it.
    let start = Instant::now();
    let first = call(&mut sample, 0);
    let rest = start.elapsed().saturating_mul(u32::try_from(x.ncols() - 1).unwrap_or(u32::MAX));
    if parallel && rest > WORTH_A_SPLIT {
        let first = [first].into_par_iter();
        first.chain((1..x.ncols()).into_par_iter().map_init(Vec::new, call)).collect()
    } else {
        [first].into_iter().chain((1..x.ncols()).map(|j| call(&mut sample, j))).collect()
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
