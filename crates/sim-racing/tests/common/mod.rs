//! Reading the recorded data.

use std::{collections::HashMap, path::PathBuf};

use safetensors::{Dtype, SafeTensors};

/// The tensors of a file under `tests/data`, as row-major numbers.
pub(crate) fn load(file: &str) -> HashMap<String, Vec<f64>> {
    let bytes = std::fs::read(path(&format!("{file}.safetensors"))).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |name: &str| {
        let tensor = tensors.tensor(name).unwrap();
        let data = tensor.data();
        match tensor.dtype() {
            Dtype::F64 => data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
            Dtype::F32 => {
                data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect()
            }
            Dtype::I32 => {
                data.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect()
            }
            Dtype::U8 => data.iter().map(|b| f64::from(*b)).collect(),
            other => panic!("{name}: {other:?}"),
        }
    };
    tensors.names().into_iter().map(|name| (name.to_string(), numbers(name))).collect()
}

/// The path of a file under `tests/data`.
fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file)
}
