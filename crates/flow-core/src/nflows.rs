//! Weights from and to the Python package `nflows`, under its names.
//!
//! A file holds the weights of the chain alone, because `nflows` does not standardise: a flow that is
//! read from one does not standardise either, and a flow that is written to one puts its moments into
//! the metadata.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use pytorch_reader::{DType, PytorchReader};
use safetensors::SafeTensors;

use crate::{
    bijection::standardise::Standardise,
    config::FlowConfig,
    device::{Precision, default_device},
    error::FlowError,
    file::{Stored, damaged, host_tensor, json, numbers, to_safetensors, write_atomically},
    flow::Flow,
    state_dict::{HostTensor, StateDict},
};

impl StateDict {
    /// Reads every tensor of a `.safetensors` file or of a state dictionary that `torch.save` wrote
    /// (`.pt`, `.pth`).
    ///
    /// # Errors
    /// [`FlowError::File`] when the file cannot be read; [`FlowError::Format`] when it is damaged,
    /// of another format or holds types other than floats and integers.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FlowError> {
        let path = path.as_ref();
        let failed =
            |source| FlowError::File { action: "cannot read", path: path.to_owned(), source };
        let wrong = |reason: String| FlowError::Format { path: path.to_owned(), reason };
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("safetensors") => {
                let bytes = std::fs::read(path).map_err(failed)?;
                let file =
                    SafeTensors::deserialize(&bytes).map_err(|error| wrong(damaged(&error)))?;
                let mut state = Self::default();
                for (name, view) in file.iter() {
                    let tensor = host_tensor(&view).map_err(|e| wrong(format!("`{name}` {e}")))?;
                    state.insert(name.to_owned(), tensor);
                }
                Ok(state)
            }
            Some("pt" | "pth") => {
                let opened = std::fs::File::open(path).and_then(|file| file.metadata());
                let length = opened.map_err(failed)?.len();
                let file = PytorchReader::new(path).map_err(|error| {
                    wrong(format!("it is truncated or not a state dictionary of PyTorch ({error})"))
                })?;
                let mut state = Self::default();
                // By name, so that the same tensor is refused each time.
                let tensors: BTreeMap<_, _> = file.into_tensors().into_iter().collect();
                let mut unread = length;
                for (name, tensor) in tensors {
                    let host = from_torch(&tensor, &mut unread)
                        .map_err(|error| wrong(format!("`{name}` {error}")))?;
                    state.insert(name, host);
                }
                Ok(state)
            }
            _ => Err(wrong("its extension is not .safetensors, .pt or .pth".into())),
        }
    }
}

impl Flow {
    /// A flow with weights that `nflows` trained, in single precision on the default device.
    ///
    /// The flow does not standardise: give it features that are standardised as for training. For
    /// another precision, device or moments, read the [`StateDict`] and call
    /// [`from_state_dict`](Self::from_state_dict).
    ///
    /// # Errors
    /// As [`StateDict::read`] and [`from_state_dict`](Self::from_state_dict).
    pub fn from_nflows(path: impl AsRef<Path>, config: &FlowConfig) -> Result<Self, FlowError> {
        let d = config.features();
        let same = Standardise::new(vec![0.0; d], vec![1.0; d])?;
        let state = StateDict::read(path)?;
        Self::from_state_dict(config, same, state, Precision::F32, &default_device())
    }

    /// Writes the weights as `.safetensors` under the names that `nflows` gives them, for
    /// `load_state_dict`.
    ///
    /// The metadata of the file hold the configuration and the moments of the features (`config`, `mean`,
    /// `sd`, as JSON), and the marginal maps if there are any (`marginals`). `nflows` does not standardise: its
    /// user must do so with these moments, and must apply the maps.
    ///
    /// # Errors
    /// [`FlowError::File`] when the file cannot be written; [`FlowError::Execution`].
    pub fn to_nflows(&self, path: impl AsRef<Path>) -> Result<(), FlowError> {
        let mut meta = HashMap::from([
            ("config".to_owned(), json(self.config())),
            ("mean".to_owned(), json(&self.standardise().mean())),
            ("sd".to_owned(), json(&self.standardise().sd())),
        ]);
        if !self.marginals().are_affine() {
            meta.insert("marginals".to_owned(), json(self.marginals()));
        }
        let state = self.state_dict()?;
        let tensors = state
            .iter()
            .map(|(name, tensor)| Stored::new(name, tensor, self.precision()))
            .collect();
        write_atomically(path.as_ref(), &to_safetensors(tensors, meta))
    }
}

/// Reads a tensor of a file that has `unread` bytes for it and the tensors after it.
///
/// The numbers of a view may be stored once and repeated (a stride of 0), so a small file can describe
/// tensors of any size. The tensors of a flow share no numbers: together they are smaller than their file.
fn from_torch(tensor: &pytorch_reader::Tensor, unread: &mut u64) -> Result<HostTensor, String> {
    let needed = tensor.byte_len() as u64;
    let Some(rest) = unread.checked_sub(needed) else {
        return Err(format!(
            "with shape {:?} takes {needed} bytes, more than the file has: it repeats numbers (a stride of \
             0), shares them with other tensors or is compressed; save clones of the tensors",
            tensor.shape()
        ));
    };
    *unread = rest;
    let bytes = tensor.read().map_err(|error| format!("cannot be read: {error}"))?;
    let (data, integer) = match tensor.dtype() {
        DType::F32 => (numbers(&bytes, |b| f64::from(f32::from_le_bytes(b))), false),
        DType::F64 => (numbers(&bytes, f64::from_le_bytes), false),
        DType::I64 => (numbers(&bytes, |b| i64::from_le_bytes(b) as f64), true),
        other => return Err(format!("has type {other:?}; only F32, F64 and I64 are used")),
    };
    Ok(HostTensor { shape: tensor.shape().to_vec(), data, integer })
}
