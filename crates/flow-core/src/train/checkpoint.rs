//! Checkpoints: the state of a run in one file.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use safetensors::SafeTensors;
use serde::de::DeserializeOwned;

use crate::{
    config::FlowConfig,
    cpu::training::tensors::Weights,
    device::Precision,
    error::FlowError,
    file::{Stored, damaged, host_tensor, json, read_metadata, to_safetensors, write_atomically},
    state_dict::HostTensor,
    train::{
        learner::Saved,
        record::TrainingRecord,
        state::{Progress, State},
    },
};

const FORMAT: &str = "latent-is training";
const VERSION: &str = "4";

/// The file of a run's state, and how often it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The file; a run resumes from it if it exists.
    pub path: PathBuf,
    /// Time between two writes; the result does not depend on it.
    pub every: Duration,
}

impl Checkpoint {
    /// A checkpoint at `path`, written every 30 seconds.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), every: Duration::from_secs(30) }
    }

    /// Writes the state of a run of a flow of this architecture.
    ///
    /// If a weight is not finite, the file stays as it was: the run resumes before the damage.
    pub(crate) fn save(&self, config: &FlowConfig, state: &State<'_>) -> Result<(), FlowError> {
        let weights = state.learner.weights()?;
        let Saved { average, moments, steps } = state.learner.save()?;
        if ![&weights, &average, &state.last, &state.best].into_iter().all(finite) {
            return Ok(());
        }
        let mut tensors = Vec::new();
        let mut put = |group: &str, list: &[Vec<f32>]| {
            for (i, tensor) in list.iter().enumerate() {
                let host = HostTensor::vector(tensor.iter().map(|v| f64::from(*v)).collect());
                tensors.push(Stored::new(&format!("{group}.{i}"), &host, Precision::F32));
            }
        };
        put("weights", &weights);
        put("last", &state.last);
        put("best", &state.best);
        put("average", &average);
        put("moments.0", &moments[0]);
        put("moments.1", &moments[1]);
        let meta = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), VERSION.to_owned()),
            ("checksum".to_owned(), safe_file::PLACEHOLDER.to_owned()),
            ("config".to_owned(), json(config)),
            ("record".to_owned(), json(&state.record)),
            ("progress".to_owned(), json(&state.progress)),
            ("path".to_owned(), json(&state.learner.name())),
            ("steps".to_owned(), json(&steps)),
        ]);
        let mut bytes = to_safetensors(tensors, meta);
        safe_file::seal(&mut bytes);
        write_atomically(&self.path, &bytes)
    }

    /// Replaces the state of a new run by that of the file, if the file exists. The run has `batches`
    /// steps per epoch and `total` steps.
    pub(crate) fn resume(
        &self,
        config: &FlowConfig,
        [batches, total]: [usize; 2],
        state: &mut State<'_>,
    ) -> Result<(), FlowError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => self.restore(&bytes, config, [batches, total], state),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => {
                Err(FlowError::File { action: "cannot read", path: self.path.clone(), source })
            }
        }
    }

    /// Removes the file.
    pub(crate) fn remove(&self) -> Result<(), FlowError> {
        match std::fs::remove_file(&self.path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(FlowError::File { action: "cannot remove", path: self.path.clone(), source })
            }
            _ => Ok(()),
        }
    }

    fn restore(
        &self,
        bytes: &[u8],
        config: &FlowConfig,
        [batches, total]: [usize; 2],
        state: &mut State<'_>,
    ) -> Result<(), FlowError> {
        let file = File::open(&self.path, bytes)?;
        let other = |reason: &str| FlowError::OtherRun {
            path: self.path.clone(),
            reason: reason.to_owned(),
        };
        let record: TrainingRecord = file.meta("record")?;
        if record.data_hash != state.record.data_hash || record.rows != state.record.rows {
            return Err(other("it was trained on other data"));
        }
        if record.settings != state.record.settings || file.meta::<FlowConfig>("config")? != *config
        {
            return Err(other("it was trained with other settings"));
        }
        let learner = file.meta::<String>("path")?;
        // Earlier versions wrote `compiled` for the CPU.
        let learner = if learner == "compiled" { "cpu" } else { &learner };
        if learner != state.learner.name() {
            return Err(other("it was trained on another kind of device"));
        }
        let progress = file.meta::<Progress>("progress")?;
        let steps: u32 = file.meta("steps")?;
        if !progress.fits(&record, batches, total) || steps as usize > progress.step {
            return Err(file.wrong("no run can be at the position that it has".into()));
        }
        let [weights, last, best] = ["weights", "last", "best"].map(|group| file.list(group));
        let (weights, last, best, average) = (weights?, last?, best?, file.list("average")?);
        let lengths = |list: &Weights| list.iter().map(Vec::len).collect::<Vec<_>>();
        let all =
            [Some(&weights), Some(&last), Some(&best), (!average.is_empty()).then_some(&average)];
        for list in all.into_iter().flatten() {
            if lengths(list) != lengths(&state.last) {
                return Err(file.wrong("its tensors have other shapes".into()));
            }
            if !finite(list) {
                return Err(file.wrong("its weights are not finite".into()));
            }
        }
        if average.is_empty() == (record.settings.average() > 0.0) {
            return Err(file.wrong("its average does not belong to its settings".into()));
        }
        let moments = [file.list("moments.0")?, file.list("moments.1")?];
        let saved = Saved { average, moments, steps };
        state.learner.restore(weights, saved).map_err(|e| file.wrong(e))?;
        (state.last, state.best, state.progress, state.record) = (last, best, progress, record);
        Ok(())
    }
}

/// Whether all weights are finite.
pub(crate) fn finite(weights: &Weights) -> bool {
    weights.iter().flatten().all(|v| v.is_finite())
}

/// A checkpoint file in memory.
struct File<'a> {
    path: &'a Path,
    meta: HashMap<String, String>,
    tensors: SafeTensors<'a>,
}

impl<'a> File<'a> {
    fn open(path: &'a Path, bytes: &'a [u8]) -> Result<Self, FlowError> {
        let wrong = |reason: String| FlowError::Format { path: path.to_owned(), reason };
        let meta = read_metadata(bytes, FORMAT, &[VERSION]).map_err(wrong)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| wrong(damaged(&error)))?;
        if !safe_file::verify(bytes) {
            return Err(wrong("its checksum does not match; remove it and start again".to_owned()));
        }
        Ok(Self { path, meta, tensors })
    }

    fn wrong(&self, reason: String) -> FlowError {
        FlowError::Format { path: self.path.to_owned(), reason }
    }

    fn meta<T: DeserializeOwned>(&self, key: &str) -> Result<T, FlowError> {
        let text = self.meta.get(key).map_or("", String::as_str);
        serde_json::from_str(text)
            .map_err(|error| self.wrong(format!("its `{key}` cannot be read: {error}")))
    }

    /// The tensors of a group, which may be empty.
    fn list(&self, group: &str) -> Result<Weights, FlowError> {
        let mut list = Weights::new();
        while let Ok(view) = self.tensors.tensor(&format!("{group}.{}", list.len())) {
            let host = host_tensor(&view)
                .map_err(|e| self.wrong(format!("`{group}.{}` {e}", list.len())))?;
            list.push(host.data.into_iter().map(|v| v as f32).collect());
        }
        Ok(list)
    }
}
