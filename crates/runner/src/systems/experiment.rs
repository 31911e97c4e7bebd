//! Experiment files in TOML.

use std::path::Path;

use anyhow::Context;
use flow_core::{FlowConfig, TrainSettings};
use serde::{Deserialize, Serialize};
use sim_core::rng::derive;

use crate::outcomes::shape::TableShape;

/// Most trials per row; so many take eleven days.
const MAX_TRIALS: usize = 1_000_000;
/// Most draws for the failure probability under the flow; so many take eleven days.
const MAX_DRAWS: usize = 1_000_000_000_000;

/// What is simulated, how the flow is trained and how the estimators are evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Name of the system, see [`System`](crate::systems::system::System).
    pub system: String,
    /// Independent trials per row of the table.
    pub trials: usize,
    /// Seed of everything except the training, which has its own seed.
    pub seed: u64,
    /// Number of simulations for the reference probability and the reference failures.
    pub reference_runs: usize,
    /// Seed of these simulations; derived from `seed` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_seed: Option<u64>,
    /// Number of latent draws for the failure probability under the flow.
    pub flow_draws: usize,
    /// Evaluations per trial of the default preset, at most, including the search.
    pub budget: u64,
    /// Draws from the final proposal of each trial, for NLL, coverage and density.
    pub metric_draws: usize,
    /// Reference failures for coverage and density, at most.
    pub metric_failures: usize,
    /// Number of neighbours in coverage and density.
    pub neighbours: usize,
    /// How the flow is trained.
    pub training: Training,
}

/// How a flow is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Number of simulations to train on.
    pub runs: usize,
    /// Seed of these simulations; derived from the seed of the training if absent.
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
    /// When the text is not TOML, has an unknown key or lacks a key (the message names the line), and as
    /// [`check`](Self::check).
    pub fn parse(text: &str, origin: &str) -> anyhow::Result<Self> {
        let experiment: Self =
            toml::from_str(text).with_context(|| format!("cannot read experiment {origin}"))?;
        experiment.check().with_context(|| format!("cannot use experiment {origin}"))?;
        Ok(experiment)
    }

    /// Checks the numbers of trials, simulations and draws.
    ///
    /// # Errors
    /// When one is zero or takes more time than anyone has.
    pub fn check(&self) -> anyhow::Result<()> {
        let positive = [
            ("trials", self.trials),
            ("reference_runs", self.reference_runs),
            ("flow_draws", self.flow_draws),
            ("budget", self.budget as usize),
            ("metric_draws", self.metric_draws),
            ("metric_failures", self.metric_failures),
            ("neighbours", self.neighbours),
            ("training.runs", self.training.runs),
        ];
        for (name, value) in positive {
            anyhow::ensure!(value > 0, "`{name}` must be positive");
        }
        for (name, value, most, time) in [
            ("trials", self.trials, MAX_TRIALS, "about a second each"),
            ("flow_draws", self.flow_draws, MAX_DRAWS, "about a microsecond each"),
        ] {
            anyhow::ensure!(
                value <= most,
                "`{name}` must be at most {most}, got {value}: they take {time}"
            );
        }
        Ok(())
    }

    /// Checks that the outcomes fit the memory of this machine, before a run on it.
    ///
    /// # Errors
    /// Names the key of a number that is too large.
    pub fn check_memory(&self) -> anyhow::Result<()> {
        for (name, value) in [
            ("reference_runs", self.reference_runs),
            ("metric_draws", self.metric_draws),
            ("training.runs", self.training.runs),
        ] {
            TableShape::in_memory(value, self.training.flow.features())
                .with_context(|| format!("`{name}` is too large"))?;
        }
        Ok(())
    }

    /// The seed of the simulations for the reference.
    pub fn seed_of_reference(&self) -> u64 {
        self.reference_seed.unwrap_or_else(|| derive(self.seed, "reference", 0))
    }
}

impl Training {
    /// The seed of the simulations to train on.
    pub fn seed_of_data(&self) -> u64 {
        self.data_seed.unwrap_or_else(|| derive(self.settings.seed(), "training data", 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::system::System;

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
        let text = include_str!("../../experiments/robot.toml").replace("trials =", "trails =");
        let error = format!("{:#}", Experiment::parse(&text, "robot.toml").unwrap_err());
        assert!(error.contains("robot.toml") && error.contains("trails"), "{error}");
        assert!(error.contains("line 5"), "{error}");
    }

    #[test]
    fn zero_trials_are_refused() {
        let text =
            include_str!("../../experiments/robot.toml").replace("trials = 20", "trials = 0");
        let error = format!("{:#}", Experiment::parse(&text, "robot.toml").unwrap_err());
        assert_eq!(error, "cannot use experiment robot.toml: `trials` must be positive");
    }

    #[test]
    fn sizes_that_no_machine_has_time_or_memory_for_are_refused() {
        let text = include_str!("../../experiments/robot.toml");
        for (key, expected) in [
            ("trials", "must be at most 1000000, got 4000000000000000000"),
            ("flow_draws", "must be at most 1000000000000, got 4000000000000000000"),
            ("reference_runs", "`reference_runs` is too large"),
            ("metric_draws", "need 96.000 EB of memory"),
            ("runs", "need 96.000 EB of memory"),
            ("hidden", "GiB of memory"),
            ("steps", "GiB of memory"),
        ] {
            let edited = text
                .lines()
                .map(|line| match line.split_once(" = ") {
                    Some((name, _)) if name == key => format!("{key} = 4000000000000000000\n"),
                    _ => format!("{line}\n"),
                })
                .collect::<String>();
            assert_ne!(edited, text, "{key}");
            let checked = Experiment::parse(&edited, "robot.toml")
                .and_then(|experiment| experiment.check_memory());
            let error = format!("{:#}", checked.unwrap_err());
            assert!(error.contains(expected), "{key}: {error}");
        }
    }
}
