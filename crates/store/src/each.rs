//! Models that hand over each evaluation as it ends.

use std::{
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

use inputs::Inputs;
use nalgebra::{DMatrix, DMatrixView};
use sim_core::model::{Evaluations, FailureKind, Model, Status};
use sim_core::{Feature, ModelError};

/// One sample of a batch whose evaluation has ended.
#[derive(Clone, Copy, Debug)]
pub struct Finished<'a> {
    /// Its column in the batch.
    pub index: usize,
    /// Outputs, `[d]`; NaN in all where there is no outcome.
    pub outputs: &'a [f64],
    /// Whether there is an outcome, and why not.
    pub status: &'a Status,
    /// Time that it took.
    pub seconds: f64,
    /// The worker that did it.
    pub worker: u32,
}

/// What takes the finished samples. After [`ControlFlow::Break`] no new sample is begun; those in flight
/// end and are handed over, and the batch ends.
pub type Report<'a> = dyn FnMut(Finished<'_>) -> ControlFlow<()> + Send + 'a;

/// A model that hands over each sample as its evaluation ends, and not only the whole batch.
pub trait EvaluateEach: Model {
    /// Evaluates a batch and calls `report` once for each sample, in the order in which they end. If all
    /// goes well, every sample of the batch is reported, unless `report` breaks.
    ///
    /// # Shapes
    /// - `w`: `[m, n]`; `seeds`: `[n]`, as in [`Model::evaluate`]
    ///
    /// # Errors
    /// As [`Model::evaluate`]. What was reported before stays valid.
    fn evaluate_each(
        &self,
        w: DMatrixView<'_, f64>,
        seeds: &[u64],
        report: &mut Report<'_>,
    ) -> Result<(), ModelError>;
}

/// Evaluates a batch with [`EvaluateEach::evaluate_each`] and puts the results in order: the body of
/// [`Model::evaluate`] for such a model.
///
/// # Errors
/// Those of the model.
pub fn in_order<M: EvaluateEach + ?Sized>(
    model: &M,
    w: DMatrixView<'_, f64>,
    seeds: &[u64],
) -> Result<Evaluations, ModelError> {
    let (d, n) = (model.outputs().len(), w.ncols());
    let mut outputs = DMatrix::from_element(d, n, f64::NAN);
    let missing = Status::failed(FailureKind::BadAnswer, "the model did not report this sample");
    let mut statuses = vec![missing; n];
    model.evaluate_each(w, seeds, &mut |finished| {
        outputs.column_mut(finished.index).copy_from_slice(finished.outputs);
        statuses[finished.index] = finished.status.clone();
        ControlFlow::Continue(())
    })?;
    Ok(Evaluations { outputs, statuses })
}

/// Any model as [`EvaluateEach`]: it gets the batch in chunks that take about a second, and each chunk is
/// reported when it ends.
///
/// The first chunk has one sample per core.
#[derive(Debug)]
pub struct Chunks<M>(pub M);

/// The time that a chunk should take.
const CHUNK: Duration = Duration::from_secs(1);

impl<M: Model> Model for Chunks<M> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn inputs(&self) -> &Inputs {
        self.0.inputs()
    }

    fn outputs(&self) -> &[Feature] {
        self.0.outputs()
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        self.0.evaluate(w, seeds)
    }
}

impl<M: Model> EvaluateEach for Chunks<M> {
    fn evaluate_each(
        &self,
        w: DMatrixView<'_, f64>,
        seeds: &[u64],
        report: &mut Report<'_>,
    ) -> Result<(), ModelError> {
        self.check(w, seeds)?;
        let smallest = thread::available_parallelism().map_or(1, usize::from);
        let (mut begin, mut size) = (0, smallest);
        while begin < seeds.len() {
            let n = size.min(seeds.len() - begin);
            let started = Instant::now();
            let chunk = self.0.evaluate(w.columns(begin, n), &seeds[begin..begin + n])?;
            let elapsed = started.elapsed();
            let seconds = elapsed.as_secs_f64() / n as f64;
            let mut flow = ControlFlow::Continue(());
            for (i, status) in chunk.statuses.iter().enumerate() {
                let outputs = chunk.outputs.column(i);
                let outputs = outputs.as_slice();
                let index = begin + i;
                let told = report(Finished { index, outputs, status, seconds, worker: 0 });
                flow = if flow.is_break() { flow } else { told };
            }
            if flow.is_break() {
                return Ok(());
            }
            begin += n;
            if elapsed < CHUNK / 2 {
                size *= 2;
            } else if elapsed > CHUNK * 2 {
                size = (size / 2).max(smallest);
            }
        }
        Ok(())
    }
}
