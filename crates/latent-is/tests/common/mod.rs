//! Golden arrays from safetensors files.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;

use nalgebra::DMatrix;
use safetensors::{Dtype, SafeTensors};

/// The bytes of a file under `tests/data`.
pub(crate) fn bytes(path: &str) -> Vec<u8> {
    let full = format!("{}/tests/data/{path}", env!("CARGO_MANIFEST_DIR"));
    fs::read(&full).unwrap_or_else(|e| panic!("{full}: {e}"))
}

/// A JSON file under `tests/data`.
pub(crate) fn json(path: &str) -> serde_json::Value {
    serde_json::from_slice(&bytes(path)).unwrap()
}

/// A double-precision tensor as a flat vector.
pub(crate) fn vector(file: &SafeTensors<'_>, name: &str) -> Vec<f64> {
    let view = file.tensor(name).unwrap();
    assert_eq!(view.dtype(), Dtype::F64);
    view.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
}

/// A row-major `[n, d]` tensor as a `[d, n]` matrix.
pub(crate) fn columns(file: &SafeTensors<'_>, name: &str) -> DMatrix<f64> {
    let shape = file.tensor(name).unwrap().shape().to_vec();
    DMatrix::from_vec(shape[1], shape[0], vector(file, name))
}
