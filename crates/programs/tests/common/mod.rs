//! Models that are shell scripts.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{fs, path::Path};

use inputs::{Inputs, Normal};
use nalgebra::DMatrix;
use programs::{ModelConfig, OutputsConfig, ProgramModel};
use sim_core::{FailureKind, Feature, Model, ModelError, Status};

/// One input `x`, one output `y`.
pub(crate) fn inputs() -> Inputs {
    Inputs::builder().input("x", "1", Normal::new(0.0, 1.0).unwrap()).build().unwrap()
}

pub(crate) fn outputs() -> OutputsConfig {
    OutputsConfig::new(vec![Feature::new("y", "1")]).unwrap()
}

/// A model that runs `script` with the shell; `config` has more entries of `[model]`.
pub(crate) fn model(folder: &Path, script: &str, arguments: &str, config: &str) -> ProgramModel {
    fs::write(folder.join("run.sh"), script).unwrap();
    let config = format!("command = ['sh', 'run.sh'{arguments}]\n{config}");
    let config: ModelConfig = toml::from_str(&config).unwrap();
    ProgramModel::new("script", &config, Some(folder), inputs(), outputs()).unwrap()
}

/// The inputs 0, 1, 2, … and as many seeds.
pub(crate) fn batch(n: usize) -> (DMatrix<f64>, Vec<u64>) {
    (DMatrix::from_fn(1, n, |_, i| i as f64), (0..n as u64).collect())
}

/// The output of a sample, or the kind of failure and the message.
pub(crate) type Outcome = Result<f64, (FailureKind, String)>;

/// The outcome of every sample of a batch of `n`.
pub(crate) fn run(model: &impl Model, n: usize) -> Result<Vec<Outcome>, ModelError> {
    let (w, seeds) = batch(n);
    let evaluations = model.evaluate(w.as_view(), &seeds)?;
    assert_eq!((evaluations.outputs.shape(), evaluations.statuses.len()), ((1, n), n));
    let one = |(i, status): (usize, &Status)| match status {
        Status::Failed { kind, message } => {
            assert!(evaluations.outputs[i].is_nan());
            Err((*kind, message.to_string()))
        }
        _ => Ok(evaluations.outputs[i]),
    };
    Ok(evaluations.statuses.iter().enumerate().map(one).collect())
}
