//! One file a flow: safetensors with the weights under their `nflows` names, the moments, and as
//! metadata the format, its version, the architecture and the training record.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::Write,
    path::{Path, PathBuf},
};

use burn::tensor::Device;
use safetensors::{Dtype, SafeTensors, View};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Flow, FlowConfig, FlowError, HostTensor, Precision, StateDict, TrainingRecord,
    bijection::Standardize,
};

const FORMAT: &str = "latent-is flow";
const VERSION: &str = "1";
const MEAN: &str = "standardize.mean";
const SD: &str = "standardize.sd";

/// A flow with the record of its training, as kept in a file.
#[derive(Clone, Debug)]
pub struct FlowFile {
    /// The flow.
    pub flow: Flow,
    /// How it was trained.
    pub record: TrainingRecord,
}

impl FlowFile {
    /// Writes the file under a temporary name and renames it, so that `path` is never half-written.
    ///
    /// # Errors
    /// [`FlowError::File`] when the folder or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FlowError> {
        let path = path.as_ref();
        let bytes = self.to_bytes()?;
        let failed =
            |source| FlowError::File { action: "cannot write", path: path.to_owned(), source };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        // Readable as any new file is, not by its owner alone; the process's mask still applies.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Reads a flow onto `device`.
    ///
    /// # Errors
    /// [`FlowError::File`] when the file cannot be read, [`FlowError::Format`] when it is truncated,
    /// foreign or of another version, [`FlowError::Weights`] when tensors do not fit.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self, FlowError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| FlowError::File {
            action: "cannot read",
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(&bytes, path, device)
    }

    /// Reads a flow from the bytes of a file; `origin` names it in messages.
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
        let damaged = |error: safetensors::SafeTensorError| {
            wrong(format!("it is truncated or not a safetensors file ({error})"))
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let meta = header.metadata().clone().unwrap_or_default();
        if meta.get("format").map(String::as_str) != Some(FORMAT) {
            return Err(wrong("it was not written by this library".into()));
        }
        let version = meta.get("version").map_or("none", String::as_str);
        if version != VERSION {
            return Err(wrong(format!(
                "it has format version {version}, this library reads version {VERSION}"
            )));
        }
        let config: FlowConfig = parse(&meta, "config").map_err(&wrong)?;
        let precision: Precision = parse(&meta, "precision").map_err(&wrong)?;
        let record: TrainingRecord = parse(&meta, "training").map_err(&wrong)?;

        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let mut state = StateDict::default();
        for (name, view) in tensors.iter() {
            let tensor = host_tensor(&view).map_err(|e| wrong(format!("`{name}` {e}")))?;
            state.insert(name.to_owned(), tensor);
        }
        let mut moments = |name: &str| {
            let tensor = state.remove(name).ok_or_else(|| wrong(format!("`{name}` is missing")))?;
            Ok(tensor.data)
        };
        let standardize = Standardize::new(moments(MEAN)?, moments(SD)?)?;
        let flow = Flow::from_state_dict(&config, standardize, state, precision, device)?;
        Ok(Self { flow, record })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, FlowError> {
        let mut tensors: Vec<(String, Stored)> = self
            .flow
            .state_dict()?
            .iter()
            .map(|(name, tensor)| (name.to_owned(), Stored::new(tensor, self.flow.precision())))
            .collect();
        let moments = self.flow.standardize();
        for (name, values) in [(MEAN, moments.mean()), (SD, moments.sd())] {
            let data = values.to_vec();
            let tensor = HostTensor { shape: vec![data.len()], data, integer: false };
            tensors.push((name.to_owned(), Stored::new(&tensor, Precision::F64)));
        }
        let meta = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), VERSION.to_owned()),
            ("config".to_owned(), json(self.flow.config())),
            ("precision".to_owned(), json(&self.flow.precision())),
            ("training".to_owned(), json(&self.record)),
        ]);
        Ok(safetensors::serialize(tensors, Some(meta)).expect("names are unique and lengths agree"))
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data becomes JSON")
}

fn parse<T: DeserializeOwned>(meta: &HashMap<String, String>, key: &str) -> Result<T, String> {
    let text = meta.get(key).ok_or_else(|| format!("its metadata has no `{key}`"))?;
    serde_json::from_str(text).map_err(|error| format!("its `{key}` cannot be read: {error}"))
}

/// A tensor in the bytes of the file.
struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Stored {
    fn new(tensor: &HostTensor, precision: Precision) -> Self {
        let data = &tensor.data;
        let (dtype, bytes) = match (tensor.integer, precision) {
            (true, _) => {
                (Dtype::I64, data.iter().flat_map(|v| (*v as i64).to_le_bytes()).collect())
            }
            (false, Precision::F32) => {
                (Dtype::F32, data.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect())
            }
            (false, Precision::F64) => {
                (Dtype::F64, data.iter().flat_map(|v| v.to_le_bytes()).collect())
            }
        };
        Self { dtype, shape: tensor.shape.clone(), bytes }
    }
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

fn host_tensor(view: &safetensors::tensor::TensorView<'_>) -> Result<HostTensor, String> {
    fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
    }
    let bytes = view.data();
    let (data, integer) = match view.dtype() {
        Dtype::F32 => (numbers(bytes, |b| f64::from(f32::from_le_bytes(b))), false),
        Dtype::F64 => (numbers(bytes, f64::from_le_bytes), false),
        Dtype::I64 => (numbers(bytes, |b| i64::from_le_bytes(b) as f64), true),
        other => return Err(format!("has type {other:?}; only F32, F64 and I64 are used")),
    };
    Ok(HostTensor { shape: view.shape().to_vec(), data, integer })
}
