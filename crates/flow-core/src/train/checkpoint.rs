//! Checkpoints: the whole state of a run in one file.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use burn::{
    module::Module,
    tensor::{Tensor, TensorData},
};
use safetensors::SafeTensors;
use serde::de::DeserializeOwned;

use super::{
    GlobalAdam, TrainingRecord,
    run::{Progress, Run},
    weights::{Average, ids, weights, with_ids, with_weights},
};
use crate::{
    FlowError, HostTensor, Precision,
    file::{Stored, damaged, host_tensor, json, read_metadata, to_safetensors, write_atomically},
    state_dict::to_host,
};

const FORMAT: &str = "latent-is training";
const VERSION: &str = "1";
const ADAM: &str = "adam";
const IDS: &str = "ids";

/// Where a run keeps its state, and how often it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The file; a run that finds one takes it up.
    pub path: PathBuf,
    /// Time between two writings; the result does not depend on it.
    pub every: Duration,
}

impl Checkpoint {
    /// A checkpoint at `path`, written every half minute.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), every: Duration::from_secs(30) }
    }

    /// Writes the state of `run`.
    pub(crate) fn save(&self, run: &Run<'_>) -> Result<(), FlowError> {
        let state = &run.state;
        let mut tensors = Vec::new();
        let mut put = |group: &str, list: &[Tensor<1>]| {
            for (i, tensor) in list.iter().enumerate() {
                let host = HostTensor::vector(to_host(tensor.clone())?);
                tensors.push(Stored::new(&format!("{group}.{i}"), &host, Precision::F32));
            }
            Ok(())
        };
        put("weights", &weights(&state.chain))?;
        put("last", &state.last)?;
        put("best", &state.best)?;
        if let Some(average) = &state.average {
            put("average", &average.tensors)?;
        }
        let adam = state.adam.to_bytes().map_err(FlowError::Execution)?;
        tensors.push(Stored::opaque(ADAM, adam));
        let ids = ids(&state.chain).into_iter().flat_map(u64::to_le_bytes).collect();
        tensors.push(Stored::opaque(IDS, ids));
        let meta = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), VERSION.to_owned()),
            ("config".to_owned(), json(run.flow.config())),
            ("record".to_owned(), json(&state.record)),
            ("progress".to_owned(), json(&state.progress)),
        ]);
        write_atomically(&self.path, &to_safetensors(tensors, meta))
    }

    /// Puts `run` where the file says it was; without a file it begins at the beginning.
    pub(crate) fn resume<'a>(&self, run: Run<'a>) -> Result<Run<'a>, FlowError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => self.restore(&bytes, run),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(run),
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

    fn restore<'a>(&self, bytes: &[u8], mut run: Run<'a>) -> Result<Run<'a>, FlowError> {
        let file = File::open(&self.path, bytes)?;
        let other = |reason: &str| FlowError::OtherRun {
            path: self.path.clone(),
            reason: reason.to_owned(),
        };
        let record: TrainingRecord = file.meta("record")?;
        if record.data_hash != run.state.record.data_hash {
            return Err(other("it was trained on other data"));
        }
        if record.settings != *run.settings()
            || file.meta::<crate::FlowConfig>("config")? != *run.flow.config()
        {
            return Err(other("it was trained with other settings"));
        }
        let beside = weights(&run.state.chain);
        let chain = with_weights(&run.state.chain, &file.list("weights", &beside)?);
        let ids: Vec<u64> =
            file.bytes(IDS)?.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
        if ids.len() != beside.len() {
            return Err(file.wrong("it lists another number of parameters".into()));
        }
        run.state.chain = with_ids(chain.train(), &ids);
        run.state.adam = GlobalAdam::from_bytes(record.settings.clip_norm, file.bytes(ADAM)?)
            .map_err(|reason| file.wrong(reason))?;
        run.state.last = file.list("last", &beside)?;
        run.state.best = file.list("best", &beside)?;
        if record.settings.average > 0.0 {
            let tensors = file.list("average", &beside)?;
            run.state.average = Some(Average::resume(record.settings.average, tensors));
        }
        run.state.progress = file.meta::<Progress>("progress")?;
        run.state.record = record;
        Ok(run)
    }
}

/// A checkpoint that is being read.
struct File<'a> {
    path: &'a Path,
    meta: HashMap<String, String>,
    tensors: SafeTensors<'a>,
}

impl<'a> File<'a> {
    fn open(path: &'a Path, bytes: &'a [u8]) -> Result<Self, FlowError> {
        let wrong = |reason: String| FlowError::Format { path: path.to_owned(), reason };
        let meta = read_metadata(bytes, FORMAT, VERSION).map_err(wrong)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| wrong(damaged(&error)))?;
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

    fn bytes(&self, name: &str) -> Result<Vec<u8>, FlowError> {
        let view = self.tensors.tensor(name).map_err(|error| self.wrong(error.to_string()))?;
        Ok(view.data().to_vec())
    }

    /// The tensors of a group, in the shapes of those `beside`.
    fn list(&self, group: &str, beside: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, FlowError> {
        let read = |(i, beside): (usize, &Tensor<1>)| {
            let name = format!("{group}.{i}");
            let view = self.tensors.tensor(&name).map_err(|error| self.wrong(error.to_string()))?;
            let host = host_tensor(&view).map_err(|e| self.wrong(format!("`{name}` {e}")))?;
            let shape = beside.dims();
            if host.shape != shape {
                return Err(self.wrong(format!("`{name}` has shape {:?}", host.shape)));
            }
            let data = TensorData::new(host.data, shape);
            Ok(Tensor::from_data(data, crate::device::like(beside)))
        };
        beside.iter().enumerate().map(read).collect()
    }
}
