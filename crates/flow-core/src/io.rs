//! A flow in one file: safetensors with the weights under their `nflows` names and the moments; the
//! metadata hold format, version, architecture and training record.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use burn::tensor::Device;
use safetensors::SafeTensors;
use serde::de::DeserializeOwned;

use crate::{
    bijection::standardise::Standardise,
    config::FlowConfig,
    device::Precision,
    error::FlowError,
    file::{Stored, damaged, host_tensor, json, read_metadata, to_safetensors, write_atomically},
    flow::Flow,
    state_dict::{HostTensor, StateDict},
    train::record::TrainingRecord,
};

const FORMAT: &str = "latent-is flow";
const VERSION: &str = "1";
/// Names of the moments; files of version 1 keep this spelling.
const MEAN: &str = "standardize.mean";
const SD: &str = "standardize.sd";

/// A flow with the record of its training, as a file holds them.
#[derive(Clone, Debug)]
pub struct FlowFile {
    /// The flow.
    pub flow: Flow,
    /// How it was trained.
    pub record: TrainingRecord,
}

impl FlowFile {
    /// Writes the file under a temporary name and renames it, so that `path` is never
    /// incomplete.
    ///
    /// # Errors
    /// [`FlowError::File`] when the folder or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FlowError> {
        write_atomically(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads a flow onto `device`.
    ///
    /// # Errors
    /// [`FlowError::File`] when the file cannot be read, [`FlowError::Format`] when it is truncated, of
    /// another format or of another version, [`FlowError::Weights`] when tensors do not fit the
    /// architecture.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self, FlowError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| FlowError::File {
            action: "cannot read",
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(&bytes, path, device)
    }

    /// Reads a flow from the bytes of a file; `origin` is its name in messages.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes(
        bytes: &[u8],
        origin: impl Into<PathBuf>,
        device: &Device,
    ) -> Result<Self, FlowError> {
        let origin = origin.into();
        let wrong = |reason: String| FlowError::Format { path: origin.clone(), reason };
        let meta = read_metadata(bytes, FORMAT, VERSION).map_err(&wrong)?;
        let config: FlowConfig = parse(&meta, "config").map_err(&wrong)?;
        let precision: Precision = parse(&meta, "precision").map_err(&wrong)?;
        let record: TrainingRecord = parse(&meta, "training").map_err(&wrong)?;

        let tensors = SafeTensors::deserialize(bytes).map_err(|error| wrong(damaged(&error)))?;
        let mut state = StateDict::default();
        for (name, view) in tensors.iter() {
            let tensor = host_tensor(&view).map_err(|e| wrong(format!("`{name}` {e}")))?;
            state.insert(name.to_owned(), tensor);
        }
        let mut moments = |name: &str| {
            let tensor = state.remove(name).ok_or_else(|| wrong(format!("`{name}` is missing")))?;
            Ok(tensor.data)
        };
        let standardise = Standardise::new(moments(MEAN)?, moments(SD)?)?;
        let flow = Flow::from_state_dict(&config, standardise, state, precision, device)?;
        Ok(Self { flow, record })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, FlowError> {
        let state = self.flow.state_dict()?;
        let precision = self.flow.precision();
        let mut tensors: Vec<_> =
            state.iter().map(|(name, tensor)| Stored::new(name, tensor, precision)).collect();
        let moments = self.flow.standardise();
        for (name, values) in [(MEAN, moments.mean()), (SD, moments.sd())] {
            tensors.push(Stored::new(name, &HostTensor::vector(values.to_vec()), Precision::F64));
        }
        let meta = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), VERSION.to_owned()),
            ("config".to_owned(), json(self.flow.config())),
            ("precision".to_owned(), json(&self.flow.precision())),
            ("training".to_owned(), json(&self.record)),
        ]);
        Ok(to_safetensors(tensors, meta))
    }
}

fn parse<T: DeserializeOwned>(meta: &HashMap<String, String>, key: &str) -> Result<T, String> {
    let text = meta.get(key).ok_or_else(|| format!("its metadata has no `{key}`"))?;
    serde_json::from_str(text).map_err(|error| format!("its `{key}` cannot be read: {error}"))
}
