//! Experiment files.

use std::path::Path;

use anyhow::Context;
use flow_core::{FlowConfig, TrainSettings};
use serde::{Deserialize, Serialize};

/// What is simulated, how the flow is trained and how often it is searched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Name of the system, see [`System`](crate::system::System).
    pub system: String,
    /// Independent repetitions of every row.
    pub trials: usize,
    /// Seed of everything but the training, which has its own.
    pub seed: u64,
    /// Simulations for the reference probability and failures.
    pub reference_runs: usize,
    /// Seed of these simulations; derived from `seed` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_seed: Option<u64>,
    /// Latent draws for the flow's own failure probability.
    pub flow_draws: usize,
    /// Evaluations that a trial of the default preset may spend, search included.
    pub budget: u64,
    /// Draws of a trial's final proposal for NLL, coverage and density.
    pub metric_draws: usize,
    /// Reference failures for coverage and density, at most.
    pub metric_failures: usize,
    /// Neighbours in coverage and density.
    pub neighbours: usize,
    /// How the flow is trained.
    pub training: Training,
}

/// How a flow is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Simulations to train on.
    pub runs: usize,
    /// Seed of these simulations; derived from that of the training if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_seed: Option<u64>,
    /// Architecture.
    pub flow: FlowConfig,
    /// Optimisation.
    pub settings: TrainSettings,
}

impl Experiment {
    /// Reads an experiment file.
    ///
    /// # Errors
    /// When the file cannot be read, and as [`parse`](Self::parse).
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let origin = path.display().to_string();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {origin}"))?;
        Self::parse(&text, &origin)
    }

    /// Reads an experiment; `origin` names the file in messages.
    ///
    /// # Errors
    /// When the text is no TOML, holds unknown or lacks known keys (the message points at the line),
    /// or a number is zero that must not be.
    pub fn parse(text: &str, origin: &str) -> anyhow::Result<Self> {
        let experiment: Self =
            toml::from_str(text).with_context(|| format!("cannot read experiment {origin}"))?;
        let positive = [
            ("trials", experiment.trials),
            ("reference_runs", experiment.reference_runs),
            ("flow_draws", experiment.flow_draws),
            ("budget", experiment.budget as usize),
            ("metric_draws", experiment.metric_draws),
            ("metric_failures", experiment.metric_failures),
            ("neighbours", experiment.neighbours),
            ("training.runs", experiment.training.runs),
        ];
        for (name, value) in positive {
            anyhow::ensure!(value > 0, "{origin}: `{name}` must be positive");
        }
        Ok(experiment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::System;

    #[test]
    fn the_shipped_experiments_are_read() {
        for name in System::names() {
            let system = System::by_name(name).unwrap();
            let experiment = system.experiment();
            assert_eq!(experiment.system, name);
            let features = experiment.training.flow.features();
            experiment.training.settings.check_data(features, experiment.training.runs).unwrap();
            assert_eq!(features, system.simulator().dim());
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let text = include_str!("../experiments/robot.toml").replace("trials =", "trails =");
        let error = format!("{:#}", Experiment::parse(&text, "robot.toml").unwrap_err());
        assert!(error.contains("robot.toml") && error.contains("trails"), "{error}");
        assert!(error.contains("line 5"), "{error}");
    }

    #[test]
    fn zero_trials_are_refused() {
        let text = include_str!("../experiments/robot.toml").replace("trials = 20", "trials = 0");
        let error = Experiment::parse(&text, "robot.toml").unwrap_err().to_string();
        assert_eq!(error, "robot.toml: `trials` must be positive");
    }
}
