//! A flow in one file: safetensors with the weights under their `nflows` names, the moments and some of the
//! outcomes; the metadata hold format, version, architecture, training record and marginal maps.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use burn::tensor::Device;
use nalgebra::{DMatrix, DMatrixView};
use safetensors::SafeTensors;
use serde::de::DeserializeOwned;

use crate::{
    bijection::standardise::Standardise,
    config::FlowConfig,
    device::Precision,
    error::FlowError,
    file::{Stored, damaged, host_tensor, json, read_metadata, to_safetensors, write_atomically},
    flow::Flow,
    marginals::Marginals,
    state_dict::{HostTensor, StateDict},
    train::record::TrainingRecord,
};

const FORMAT: &str = "latent-is flow";
/// Version of a file without marginal maps.
const VERSION: &str = "1";
/// Version of a file with marginal maps or outcomes; earlier programs know neither.
const VERSION_WITH_EXTRAS: &str = "2";
/// Name of the outcomes.
const ROWS: &str = "training.rows";
/// Largest number of outcomes that are kept.
const MOST_ROWS: usize = 50_000;
/// Key of the marginal maps.
const MARGINALS: &str = "marginals";
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
    /// Some of the outcomes that it was trained on, `[d, n]`, in the units of the data: they tell which events are
    /// beyond the data.
    pub rows: Option<DMatrix<f64>>,
}

impl FlowFile {
    /// A flow with its record, without outcomes.
    pub fn new(flow: Flow, record: TrainingRecord) -> Self {
        Self { flow, record, rows: None }
    }

    /// Keeps outcomes that the flow was trained on: all, or 50,000 of them, evenly spread over their order.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, in the units of the data
    #[must_use]
    pub fn with_rows(mut self, x: DMatrixView<'_, f64>) -> Self {
        let n = x.ncols();
        let kept = n.min(MOST_ROWS);
        let chosen: Vec<usize> =
            (0..kept).map(|i| (i as u128 * n as u128 / kept as u128) as usize).collect();
        self.rows = Some(x.select_columns(&chosen));
        self
    }

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
        let meta = read_metadata(bytes, FORMAT, &[VERSION, VERSION_WITH_EXTRAS]).map_err(&wrong)?;
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
        let rows = state.remove(ROWS);
        let flow = Flow::from_state_dict(&config, standardise, state, precision, device)?;
        let rows = match rows {
            Some(tensor) => Some(matrix(tensor, config.features()).map_err(&wrong)?),
            None => None,
        };
        let marginals = if meta.contains_key(MARGINALS) {
            parse(&meta, MARGINALS).map_err(&wrong)?
        } else {
            Marginals::default()
        };
        Ok(Self { flow: flow.with_marginals(marginals)?, record, rows })
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
        if let Some(rows) = &self.rows {
            let (d, n) = rows.shape();
            let data = rows.as_slice().to_vec();
            let tensor = HostTensor { shape: vec![n, d], data, integer: false };
            tensors.push(Stored::new(ROWS, &tensor, Precision::F64));
        }
        let marginals = self.flow.marginals();
        let plain = marginals.are_affine() && self.rows.is_none();
        let version = if plain { VERSION } else { VERSION_WITH_EXTRAS };
        let mut meta = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), version.to_owned()),
            ("config".to_owned(), json(self.flow.config())),
            ("precision".to_owned(), json(&self.flow.precision())),
            ("training".to_owned(), json(&self.record)),
        ]);
        if !marginals.are_affine() {
            meta.insert(MARGINALS.to_owned(), json(marginals));
        }
        Ok(to_safetensors(tensors, meta))
    }
}

/// The outcomes of a file, `[d, n]`.
fn matrix(tensor: HostTensor, d: usize) -> Result<DMatrix<f64>, String> {
    match tensor.shape[..] {
        [n, features] if features == d && n > 0 && n.checked_mul(d) == Some(tensor.data.len()) => {}
        _ => {
            let shape = tensor.shape;
            return Err(format!("`{ROWS}` has shape {shape:?}; it must have {d} columns"));
        }
    }
    if let Some(bad) = tensor.data.iter().find(|v| !v.is_finite()) {
        return Err(format!("`{ROWS}` holds {bad}"));
    }
    Ok(DMatrix::from_vec(d, tensor.data.len() / d, tensor.data))
}

fn parse<T: DeserializeOwned>(meta: &HashMap<String, String>, key: &str) -> Result<T, String> {
    let text = meta.get(key).ok_or_else(|| format!("its metadata has no `{key}`"))?;
    serde_json::from_str(text).map_err(|error| format!("its `{key}` cannot be read: {error}"))
}
