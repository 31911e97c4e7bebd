//! What evaluates a model: a program, a server or a built-in system.

use std::{
    ops::ControlFlow,
    sync::{Arc, OnceLock},
};

use inputs::Inputs;
use nalgebra::DMatrixView;
use programs::{ProgramModel, UmBridgeModel, Workers};
use sim_core::{Evaluations, Feature, Model, ModelError, Trajectory};
use store::{Chunks, EvaluateEach, Finished, Report, in_order};

use crate::output::progress::TaskProgress;

/// The kinds of models.
pub enum Kind {
    /// A program.
    Program(ProgramModel),
    /// A model of a UM-Bridge server.
    Server(UmBridgeModel),
    /// A system of this program.
    BuiltIn(Box<dyn Model>),
}

/// A model of any kind that reports its progress.
pub struct Source {
    kind: Kind,
    progress: OnceLock<Arc<TaskProgress>>,
}

impl Source {
    /// A model without progress.
    pub fn new(kind: Kind) -> Self {
        Self { kind, progress: OnceLock::new() }
    }

    /// Whether the model is a server.
    pub fn remote(&self) -> bool {
        matches!(self.kind, Kind::Server(_))
    }

    /// Reports each finished sample to `progress` from now on. Only the first call counts.
    pub fn watch(&self, progress: Arc<TaskProgress>) {
        let _ = self.progress.set(progress);
    }

    /// Reports `n` samples that are finished.
    pub(super) fn advance(&self, n: u64) {
        if let Some(progress) = self.progress.get() {
            progress.advance_with(n, || {
                let workers = self.workers()?;
                let lost = match workers.lost {
                    0 => String::new(),
                    lost => format!(", {lost} crashes and time-outs"),
                };
                Some(format!("{} of {} workers busy{lost}", workers.busy, workers.total))
            });
        }
    }

    /// The workers at this moment; none of a built-in system, which uses the threads of this program.
    pub fn workers(&self) -> Option<Workers> {
        match &self.kind {
            Kind::Program(model) => Some(model.workers()),
            Kind::Server(model) => Some(model.workers()),
            Kind::BuiltIn(_) => None,
        }
    }

    fn model(&self) -> &dyn Model {
        match &self.kind {
            Kind::Program(model) => model,
            Kind::Server(model) => model,
            Kind::BuiltIn(model) => &**model,
        }
    }
}

impl Model for Source {
    fn name(&self) -> &str {
        self.model().name()
    }

    fn inputs(&self) -> &Inputs {
        self.model().inputs()
    }

    fn outputs(&self) -> &[Feature] {
        self.model().outputs()
    }

    fn trajectory(&self, w: &[f64], seed: u64) -> Result<Option<Trajectory>, ModelError> {
        self.model().trajectory(w, seed)
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        match &self.kind {
            // As one batch: its lanes and threads are full then.
            Kind::BuiltIn(model) => {
                let evaluations = model.evaluate(w, seeds)?;
                self.advance(seeds.len() as u64);
                Ok(evaluations)
            }
            _ => in_order(self, w, seeds),
        }
    }
}

impl EvaluateEach for Source {
    fn evaluate_each(
        &self,
        w: DMatrixView<'_, f64>,
        seeds: &[u64],
        report: &mut Report<'_>,
    ) -> Result<(), ModelError> {
        let mut counted = |finished: Finished<'_>| -> ControlFlow<()> {
            self.advance(1);
            report(finished)
        };
        match &self.kind {
            Kind::Program(model) => model.evaluate_each(w, seeds, &mut counted),
            Kind::Server(model) => model.evaluate_each(w, seeds, &mut counted),
            Kind::BuiltIn(model) => Chunks(&**model).evaluate_each(w, seeds, &mut counted),
        }
    }
}
