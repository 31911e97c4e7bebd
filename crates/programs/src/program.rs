//! A model that is an external program.

use std::{path::Path, sync::Arc};

use inputs::Inputs;
use nalgebra::DMatrixView;
use sim_core::{Evaluations, Feature, Model, ModelError};
use store::{EvaluateEach, Report, in_order};

use crate::{
    child::Program,
    config::{Mode, ModelConfig, OutputsConfig, Source},
    error::ProgramError,
    file::{FileWorker, Tables},
    pool::{Pool, Workers},
    stream::{Messages, StreamWorker},
    work::Batch,
};

/// A model that is an external program.
///
/// Samples go to the workers one after the other, and results are put in order: outcomes do not depend on
/// the number of workers or on which was faster. Programs are started with the first batch and live until
/// the model is dropped (`stream`), or are started for each few samples (`file`). What a program does wrong
/// becomes the status of a sample; only a program that cannot work at all ends a batch.
#[derive(Debug)]
pub struct ProgramModel {
    name: String,
    inputs: Inputs,
    outputs: OutputsConfig,
    pool: Workforce,
}

#[derive(Debug)]
enum Workforce {
    Stream(Pool<StreamWorker>),
    File(Pool<FileWorker>),
}

impl ProgramModel {
    /// A model of this name that is the program of `config`, which runs in `folder`; `None` for the folder of
    /// this process.
    ///
    /// # Errors
    /// [`ProgramError::Config`] when the configuration is not one of a program, or has no command, or in mode
    /// `file` no `{in}` or `{out}`.
    pub fn new(
        name: impl Into<String>,
        config: &ModelConfig,
        folder: Option<&Path>,
        inputs: Inputs,
        outputs: OutputsConfig,
    ) -> Result<Self, ProgramError> {
        let bad = |reason: &str| ProgramError::Config { key: "command", reason: reason.to_owned() };
        let Source::Program { command, mode } = &config.source else {
            return Err(bad("this model is not a program"));
        };
        if command.first().is_none_or(String::is_empty) {
            return Err(bad(
                "name the program, then its arguments, as in [\"python3\", \"run.py\"]",
            ));
        }
        let program = Program { command: command.clone(), folder: folder.map(Path::to_owned) };
        let (program, timeout) = (Arc::new(program), config.run.timeout());
        let pool = match mode {
            Mode::Stream => {
                let messages = Arc::new(Messages::new(inputs.names(), outputs.features()));
                let make =
                    |_| StreamWorker::new(Arc::clone(&program), Arc::clone(&messages), timeout);
                Workforce::Stream(Pool::new(config.run.clone(), 1, make))
            }
            Mode::File { batch } => {
                let tables = Arc::new(Tables::new(command, inputs.names(), outputs.features())?);
                let make = |_| FileWorker::new(Arc::clone(&program), Arc::clone(&tables), timeout);
                Workforce::File(Pool::new(config.run.clone(), batch.get(), make))
            }
        };
        Ok(Self { name: name.into(), inputs, outputs, pool })
    }

    /// The workers at this moment, also while a batch is evaluated.
    pub fn workers(&self) -> Workers {
        match &self.pool {
            Workforce::Stream(pool) => pool.workers(),
            Workforce::File(pool) => {
                // A process lives as long as its job.
                let workers = pool.workers();
                Workers { alive: workers.busy, ..workers }
            }
        }
    }
}

impl Model for ProgramModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    fn outputs(&self) -> &[Feature] {
        self.outputs.features()
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        in_order(self, w, seeds)
    }
}

impl EvaluateEach for ProgramModel {
    fn evaluate_each(
        &self,
        w: DMatrixView<'_, f64>,
        seeds: &[u64],
        report: &mut Report<'_>,
    ) -> Result<(), ModelError> {
        self.check(w, seeds)?;
        let (batch, d) = (Batch { w, seeds }, self.outputs().len());
        match &self.pool {
            Workforce::Stream(pool) => pool.evaluate(batch, d, report),
            Workforce::File(pool) => pool.evaluate(batch, d, report),
        }
    }
}
