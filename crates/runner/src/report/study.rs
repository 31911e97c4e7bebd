//! The record of a study, which `estimate --study` and `report` read.

use std::path::{Path, PathBuf};

use anyhow::Context;
use latent_is::{Estimate, Interval, Tilt, Verdict};
use serde::{Deserialize, Serialize};

use crate::{output::file, report::model_estimate::ModelEstimateRecord};

/// Value of the entry `format`.
pub const FORMAT: &str = "latent-is study, version 1";

/// A study: what `study` writes to `study.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StudyRecord {
    /// What this file is.
    pub format: String,
    /// Version of this program.
    pub version: String,
    /// The model file.
    pub model_file: PathBuf,
    /// The certified estimate.
    pub certified: ModelEstimateRecord,
    /// The rows behind it.
    pub rows: RowsRecord,
    /// Masses of the levels of each mode, by the rows and under the flow.
    pub levels: Vec<LevelMass>,
    /// The flow; none where it was not trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowRecord>,
}

/// The rows behind a certified estimate.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RowsRecord {
    /// Their number.
    pub rows: usize,
    /// The mean of their weights, which is near one.
    pub mean_weight: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// The flow of the tilted outcomes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlowRecord {
    /// The tilt.
    pub tilt: Tilt,
    /// $\mathrm E_r[1 / \omega]$, which is one if the flow has learnt its density; $Z$ is its inverse.
    pub mass: f64,
    /// Effective number of the rows that it was trained on.
    pub effective_rows: f64,
    /// Why its own checks failed; none if they passed.
    pub failed_checks: Option<String>,
}

/// The probability that a mode of a criterion is at most a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelMass {
    /// The mode, from zero.
    pub mode: usize,
    /// The threshold; 0 is failure.
    pub threshold: f64,
    /// Logarithm of the probability by the rows.
    pub ln_p: f64,
    /// Its interval; all of a study hold together with a confidence of 95 %.
    pub interval: Interval,
    /// The probability under the flow, where there is one.
    pub flow: Option<f64>,
}

impl LevelMass {
    /// Whether the probability under the flow is in the interval of the rows, or within `tolerance` of their value;
    /// true without a flow.
    pub fn agrees(&self, tolerance: f64) -> bool {
        self.flow.map(f64::ln).is_none_or(|ln| {
            (ln >= self.interval.ln_lower && ln <= self.interval.ln_upper)
                || (ln - self.ln_p).abs() <= tolerance
        })
    }
}

/// Distance of the masses of a level by the rows and under the flow, relative, up to which the flow counts as good.
pub const LEVEL_TOLERANCE: f64 = 0.05;

/// Distance of [`FlowRecord::mass`] from one up to which the flow counts as good.
pub const MASS_TOLERANCE: f64 = 0.02;

/// Value of the entry `format` of [`StudyEstimateRecord`].
pub const STUDY_ESTIMATE: &str = "latent-is estimate of a study, version 1";

/// Where an answer of a study comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StudySource {
    /// The weighted rows.
    Rows,
    /// The flow.
    Flow,
}

/// What `estimate --study --json` writes for an answer without new runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StudyEstimateRecord {
    /// What this file is.
    pub format: String,
    /// Version of this program.
    pub version: String,
    /// The folder of the study.
    pub study: PathBuf,
    /// The text of the criterion file.
    pub criterion: String,
    /// The seed.
    pub seed: u64,
    /// Where the answer comes from.
    pub source: StudySource,
    /// The failure probability.
    pub probability: f64,
    /// Its 95 % interval; under the flow it reaches over that of the rows.
    pub interval: Interval,
    /// The verdict.
    pub verdict: Verdict,
    /// The verdict as a sentence.
    pub sentence: String,
    /// The probability under the flow, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_flow: Option<f64>,
    /// What the rows by themselves say; the points are outcomes.
    pub by_rows: Estimate,
    /// The estimate; the points are outcomes.
    pub estimate: Estimate,
}

impl StudyRecord {
    /// What speaks against the flow, in words; nothing if it has learnt its density as far as the rows can tell.
    pub fn doubts(&self) -> Vec<String> {
        let Some(flow) = &self.flow else { return Vec::new() };
        let mut doubts: Vec<String> = Vec::new();
        if (flow.mass - 1.0).abs() > MASS_TOLERANCE {
            doubts.push(format!(
                "its mass E[1/omega] is {:.3} instead of 1 ± {MASS_TOLERANCE}",
                flow.mass
            ));
        }
        let apart = self.levels.iter().filter(|level| !level.agrees(LEVEL_TOLERANCE)).count();
        if apart > 0 {
            doubts.push(format!(
                "at {apart} of {} levels it differs from the rows by more than their interval and {:.0} %",
                self.levels.len(),
                100.0 * LEVEL_TOLERANCE
            ));
        }
        doubts.extend(flow.failed_checks.clone());
        doubts
    }

    /// Writes the record.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        file::write(path, serde_json::to_string_pretty(self)?)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let origin = path.display();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {origin}"))?;
        let record: Self = serde_json::from_str(&text)
            .with_context(|| format!("{origin} is not a study of this program"))?;
        anyhow::ensure!(
            record.format == FORMAT,
            "{origin} has the format `{}`, this program reads `{FORMAT}`; run `study` again",
            record.format
        );
        Ok(record)
    }
}
