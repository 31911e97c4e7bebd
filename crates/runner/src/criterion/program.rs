//! Criteria that are programs.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use inputs::{Inputs, Normal};
use latent_is::{EvalError, Judgement};
use nalgebra::{DMatrix, DMatrixView};
use programs::{ModelConfig, OnFailure, OutputsConfig, ProgramModel, Source};
use sim_core::{FailureKind, Feature, Model, Status, rng};

use crate::models::words;

/// The name of the value that the program gives.
const VALUE: &str = "g";

/// A program that judges outcomes: it gets the features of an outcome as inputs and gives `g`, which is at
/// most 0 for a failure.
#[derive(Clone, Debug)]
pub(super) struct ProgramJudge {
    program: Arc<ProgramModel>,
    on_failure: OnFailure,
    missing: Arc<Mutex<(u64, Option<String>)>>,
}

impl ProgramJudge {
    /// The program of `config`, which runs in `folder`, on the features `names`. Nothing is started yet.
    ///
    /// # Errors
    /// When the configuration is not one of a program.
    pub(super) fn new(
        config: &ModelConfig,
        folder: &Path,
        names: &[String],
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(
            matches!(config.source, Source::Program { .. }),
            "a criterion is a program with `command`; a server or a built-in system cannot be one"
        );
        // The distributions are never drawn from.
        let any = Normal::new(0.0, 1.0)?;
        let inputs =
            names.iter().fold(Inputs::builder(), |inputs, name| inputs.input(name, "", any));
        let outputs = OutputsConfig::new(vec![Feature::new(VALUE, "")])?;
        let program =
            ProgramModel::new("criterion", config, Some(folder), inputs.build()?, outputs)?;
        let on_failure = config.run.on_failure();
        Ok(Self { program: Arc::new(program), on_failure, missing: Arc::default() })
    }

    /// Judges outcomes `x`, `[d, n]`. One with a feature that is NaN is not shown to the program.
    ///
    /// # Errors
    /// When the program cannot work at all.
    pub(super) fn judge(&self, x: DMatrixView<'_, f64>) -> Result<Vec<Judgement>, EvalError> {
        let whole: Vec<usize> = (0..x.ncols()).filter(|&j| !has_nan(x, j)).collect();
        let shown: DMatrix<f64> = x.select_columns(&whole);
        let seed = |column: nalgebra::DVectorView<'_, f64>| {
            rng::derive_from(0, "criterion", column.into_owned().as_slice())
        };
        let seeds: Vec<u64> = shown.column_iter().map(seed).collect();
        let evaluations = self
            .program
            .evaluate(shown.as_view(), &seeds)
            .map_err(|error| EvalError::failed(format!("the program of the criterion: {error}")))?;
        let mut judgements: Vec<Judgement> = (0..x.ncols())
            .map(|_| Err((FailureKind::NotFinite, "a feature is NaN".to_owned())))
            .collect();
        for (k, j) in whole.into_iter().enumerate() {
            judgements[j] = match &evaluations.statuses[k] {
                Status::Done => Ok(evaluations.outputs[(0, k)]),
                status => self.without(status),
            };
        }
        Ok(judgements)
    }

    /// What a status that is not an answer means.
    fn without(&self, status: &Status) -> Judgement {
        let message = words::status(status);
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.0 += 1;
        missing.1.get_or_insert_with(|| message.clone());
        if self.on_failure == OnFailure::Failure {
            return Ok(0.0);
        }
        let kind = match status {
            Status::Failed { kind, .. } => *kind,
            _ => FailureKind::Reported,
        };
        Err((kind, format!("criterion: {message}")))
    }

    /// Outcomes so far that the program did not judge, and what the first of them said.
    pub(super) fn missing(&self) -> (u64, Option<String>) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn has_nan(x: DMatrixView<'_, f64>, j: usize) -> bool {
    x.column(j).iter().any(|v| v.is_nan())
}
