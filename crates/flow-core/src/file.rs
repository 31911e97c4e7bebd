//! Safetensors files: reading tensors, and writing that never leaves an incomplete file.

use std::{borrow::Cow, collections::HashMap, path::Path};

use safetensors::{Dtype, SafeTensorError, SafeTensors, View, tensor::TensorView};
use serde::Serialize;

use crate::{device::Precision, error::FlowError, state_dict::HostTensor};

/// The bytes of a file with these tensors and this metadata.
pub(crate) fn to_safetensors(tensors: Vec<Stored>, meta: HashMap<String, String>) -> Vec<u8> {
    let named = tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor));
    safetensors::serialize(named, Some(meta)).expect("names are unique and lengths agree")
}

/// The metadata of a file that this library wrote.
///
/// # Errors
/// The reason why the bytes are not a file of that format and version.
pub(crate) fn read_metadata(
    bytes: &[u8],
    format: &str,
    versions: &[&str],
) -> Result<HashMap<String, String>, String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(&error))?;
    let meta = header.metadata().clone().unwrap_or_default();
    if meta.get("format").map(String::as_str) != Some(format) {
        return Err(format!("it is not a {format} file of this library"));
    }
    match meta.get("version").map_or("none", String::as_str) {
        found if versions.contains(&found) => Ok(meta),
        found => {
            let read = versions.join(" and ");
            Err(format!("it has format version {found}, this library reads version {read}"))
        }
    }
}

/// JSON text for a metadata entry.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data becomes JSON")
}

/// The message for bytes that are not a safetensors file.
pub(crate) fn damaged(error: &SafeTensorError) -> String {
    format!("it is truncated or not a safetensors file ({error})")
}

/// Writes the file as a whole; see [`safe_file::replace`].
///
/// # Errors
/// [`FlowError::File`] when the folder cannot be made or the file cannot be written.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FlowError> {
    safe_file::write(path, bytes).map_err(|source| FlowError::File {
        action: "cannot write",
        path: path.to_owned(),
        source,
    })
}

/// A tensor as bytes for a file.
pub(crate) struct Stored {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Stored {
    /// `tensor` under `name`, with floats in `precision`.
    pub(crate) fn new(name: &str, tensor: &HostTensor, precision: Precision) -> Self {
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
        Self { name: name.to_owned(), dtype, shape: tensor.shape.clone(), bytes }
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

/// A tensor of a file on the host.
///
/// # Errors
/// What is wrong with the tensor; the message continues its name.
pub(crate) fn host_tensor(view: &TensorView<'_>) -> Result<HostTensor, String> {
    let bytes = view.data();
    let (data, integer) = match view.dtype() {
        Dtype::F32 => (numbers(bytes, |b| f64::from(f32::from_le_bytes(b))), false),
        Dtype::F64 => (numbers(bytes, f64::from_le_bytes), false),
        Dtype::I64 => (numbers(bytes, |b| i64::from_le_bytes(b) as f64), true),
        other => return Err(format!("has type {other:?}; only F32, F64 and I64 are used")),
    };
    Ok(HostTensor { shape: view.shape().to_vec(), data, integer })
}

/// Reads numbers of `N` bytes each.
pub(crate) fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
}
