//! A model that evaluates nothing twice.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use inputs::Inputs;
use nalgebra::{DMatrix, DMatrixView};
use sim_core::model::{Evaluations, FailureKind, Model, Status};
use sim_core::{Feature, ModelError, Trajectory};

use crate::{
    each::{Chunks, EvaluateEach, Finished},
    error::StoreError,
    evaluation::Evaluation,
    index::Key,
    store::Store,
};

/// A model with a store: samples whose inputs and seed are in the store are looked up, the others are
/// evaluated and appended as they end. Equal samples of one batch are evaluated once.
///
/// Samples without an outcome are looked up too, unless [`again`](Self::again) says otherwise.
#[derive(Debug)]
pub struct Memo<M> {
    model: M,
    store: Store,
    again: Vec<FailureKind>,
    level: AtomicU32,
    looked_up: AtomicU64,
    evaluated: AtomicU64,
}

impl<M: Model> Memo<Chunks<M>> {
    /// Any model with a store. It gets its batches in chunks of about a second, see [`Chunks`].
    pub fn new(model: M, store: Store) -> Self {
        Self::each(Chunks(model), store)
    }
}

impl<M: EvaluateEach> Memo<M> {
    /// A model that hands over each sample as it ends, with a store.
    pub fn each(model: M, store: Store) -> Self {
        Self {
            model,
            store,
            again: Vec::new(),
            level: AtomicU32::new(0),
            looked_up: AtomicU64::new(0),
            evaluated: AtomicU64::new(0),
        }
    }

    /// Evaluates stored failures of these kinds again; the new evaluation then takes the place of the old
    /// one. For example crashes, after the cause has been mended.
    #[must_use]
    pub fn again(mut self, kinds: &[FailureKind]) -> Self {
        self.again = kinds.to_vec();
        self
    }

    /// Sets the level that is stored with the evaluations from now on.
    pub fn set_level(&self, level: u32) {
        self.level.store(level, Ordering::Relaxed);
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Samples so far that were found in the store, or were equal to one of the same batch.
    pub fn looked_up(&self) -> u64 {
        self.looked_up.load(Ordering::Relaxed)
    }

    /// Samples so far that were evaluated.
    pub fn evaluated(&self) -> u64 {
        self.evaluated.load(Ordering::Relaxed)
    }

    /// The stored evaluation of a sample, if it may be used.
    fn stored(&self, inputs: &[f64], seed: u64) -> Result<Option<Evaluation>, StoreError> {
        let usable = |e: &Evaluation| match &e.status {
            Status::Failed { kind, .. } => !self.again.contains(kind),
            _ => true,
        };
        Ok(self.store.get(inputs, seed)?.filter(usable))
    }
}

impl<M: EvaluateEach> Model for Memo<M> {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn inputs(&self) -> &Inputs {
        self.model.inputs()
    }

    fn outputs(&self) -> &[Feature] {
        self.model.outputs()
    }

    fn trajectory(&self, w: &[f64], seed: u64) -> Result<Option<Trajectory>, ModelError> {
        self.model.trajectory(w, seed)
    }

    /// As the model's own, and fails as well when the store can be neither read nor written. What was
    /// evaluated before is stored in any case.
    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        self.check(w, seeds)?;
        let (d, n) = (self.outputs().len(), seeds.len());
        let mut outputs = DMatrix::from_element(d, n, f64::NAN);
        let mut statuses = vec![Status::Done; n];
        // Samples to evaluate, and for each sample of the batch the one that it is equal to.
        let (mut first, mut missing, mut equal) = (HashMap::new(), Vec::new(), Vec::new());
        for (i, &seed) in seeds.iter().enumerate() {
            let column = w.column(i);
            let inputs = column.as_slice();
            if let Some(&earlier) = first.get(&Key::new(inputs, seed)) {
                equal.push((i, earlier));
            } else if let Some(found) = self.stored(inputs, seed).map_err(failed)? {
                outputs.column_mut(i).copy_from_slice(&found.outputs);
                statuses[i] = found.status;
            } else {
                first.insert(Key::new(inputs, seed), i);
                missing.push(i);
            }
        }
        self.looked_up.fetch_add((n - missing.len()) as u64, Ordering::Relaxed);

        let missing_w = DMatrix::from_fn(w.nrows(), missing.len(), |row, i| w[(row, missing[i])]);
        let missing_seeds: Vec<u64> = missing.iter().map(|&i| seeds[i]).collect();
        let level = self.level.load(Ordering::Relaxed);
        let (mut refused, mut reported) = (None, 0);
        let mut report = |finished: Finished<'_>| {
            let i = missing[finished.index];
            outputs.column_mut(i).copy_from_slice(finished.outputs);
            statuses[i] = finished.status.clone();
            reported += 1;
            self.evaluated.fetch_add(1, Ordering::Relaxed);
            let appended = self.store.append(&Evaluation {
                inputs: w.column(i).as_slice().to_vec(),
                seed: seeds[i],
                outputs: finished.outputs.to_vec(),
                status: finished.status.clone(),
                seconds: finished.seconds,
                worker: finished.worker,
                level,
            });
            match appended {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    refused.get_or_insert(error);
                    ControlFlow::Break(())
                }
            }
        };
        if !missing.is_empty() {
            self.model.evaluate_each(missing_w.as_view(), &missing_seeds, &mut report)?;
        }
        if let Some(error) = refused {
            return Err(failed(error));
        }
        if reported != missing.len() {
            return Err(ModelError::failed(format!(
                "the model reported {reported} of {} samples",
                missing.len()
            )));
        }
        for (i, earlier) in equal {
            let same = outputs.column(earlier).into_owned();
            outputs.set_column(i, &same);
            statuses[i] = statuses[earlier].clone();
        }
        Ok(Evaluations { outputs, statuses })
    }
}

fn failed(error: StoreError) -> ModelError {
    ModelError::Failed { message: error.to_string(), source: Some(Box::new(error)) }
}
