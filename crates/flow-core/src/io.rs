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
    completion::Completion,
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
/// Version of a file with members of an ensemble.
const VERSION_WITH_MEMBERS: &str = "3";
/// Version of a file with features that follow from those of the flow.
const VERSION_WITH_COMPLETION: &str = "4";
/// Name of the outcomes.
const ROWS: &str = "training.rows";
/// Largest number of outcomes that are kept.
const MOST_ROWS: usize = 50_000;
/// Key of the marginal maps.
const MARGINALS: &str = "marginals";
/// Key of the free features.
const FREE: &str = "free";
/// Key of the number of members.
const MEMBERS: &str = "members";
/// Largest number of members.
const MOST_MEMBERS: usize = 100;
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
    /// beyond the data. With a completion they are all features of the outcomes that it was made from.
    pub rows: Option<DMatrix<f64>>,
    /// How all features of an outcome follow from those of the flow, if it is a flow of the free ones.
    pub completion: Option<Completion>,
    /// Flows of random halves of the outcomes, see [`fit_member`](crate::fit_member); at most 100. Their spread is the
    /// error of the flow.
    pub members: Vec<Flow>,
}

impl FlowFile {
    /// A flow with its record, without outcomes.
    pub fn new(flow: Flow, record: TrainingRecord) -> Self {
        Self { flow, record, rows: None, completion: None, members: Vec::new() }
    }

    /// Keeps outcomes that the flow was trained on: all, or 50,000 of them, evenly spread over their order.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, in the units of the data
    #[must_use]
    pub fn with_rows(mut self, x: DMatrixView<'_, f64>) -> Self {
        self.rows = Some(thinned(x));
        self
    }

    /// Makes the flow one of the features `free`, `[m]`, from which all features follow. Keeps outcomes as
    /// [`with_rows`](Self::with_rows).
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, in the units of the data
    ///
    /// # Errors
    /// As [`Completion::new`], and [`FlowError::Features`] for another number of features than the flow has.
    pub fn with_completion(
        mut self,
        x: DMatrixView<'_, f64>,
        free: &[usize],
    ) -> Result<Self, FlowError> {
        let (expected, actual) = (self.flow.features(), free.len());
        if actual != expected {
            return Err(FlowError::Features { expected, actual });
        }
        let rows = thinned(x);
        self.completion = Some(Completion::new(rows.as_view(), free)?);
        self.rows = Some(rows);
        Ok(self)
    }

    /// Adds the members of an ensemble, of the architecture, the precision and the moments of the flow.
    #[must_use]
    pub fn with_members(mut self, members: Vec<Flow>) -> Self {
        self.members = members;
        self
    }

    /// Writes the file under a temporary name and renames it, so that `path` is never
    /// incomplete.
    ///
    /// # Errors
    /// [`FlowError::File`] when the folder or the file cannot be written, [`FlowError::Setting`] for more than 100 members
    /// and for members of another architecture, precision or other moments.
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
        let versions =
            [VERSION, VERSION_WITH_EXTRAS, VERSION_WITH_MEMBERS, VERSION_WITH_COMPLETION];
        let meta = read_metadata(bytes, FORMAT, &versions).map_err(&wrong)?;
        let config: FlowConfig = parse(&meta, "config").map_err(&wrong)?;
        let precision: Precision = parse(&meta, "precision").map_err(&wrong)?;
        let record: TrainingRecord = parse(&meta, "training").map_err(&wrong)?;
        let count: usize = optional(&meta, MEMBERS).map_err(&wrong)?;
        if count > MOST_MEMBERS {
            return Err(wrong(format!("it has {count} members, at most {MOST_MEMBERS} are read")));
        }

        let tensors = SafeTensors::deserialize(bytes).map_err(|error| wrong(damaged(&error)))?;
        // The flow itself, then its members.
        let mut states = vec![StateDict::default(); count + 1];
        for (name, view) in tensors.iter() {
            let tensor = host_tensor(&view).map_err(|e| wrong(format!("`{name}` {e}")))?;
            let (place, name) = place(name, count);
            states[place].insert(name.to_owned(), tensor);
        }
        let mut moments = |name: &str| {
            let missing = || wrong(format!("`{name}` is missing"));
            Ok(states[0].remove(name).ok_or_else(missing)?.data)
        };
        let standardise = Standardise::new(moments(MEAN)?, moments(SD)?)?;
        let free: Option<Vec<usize>> = optional(&meta, FREE).map_err(&wrong)?;
        let tensor = states[0].remove(ROWS);
        let mut flows = Vec::with_capacity(states.len());
        for (i, state) in states.into_iter().enumerate() {
            let moments = standardise.clone();
            let flow = Flow::from_state_dict(&config, moments, state, precision, device)?;
            let marginals: Marginals = optional(&meta, &key(i)).map_err(&wrong)?;
            flows.push(flow.with_marginals(marginals)?);
        }
        let rows = match (tensor, &free) {
            (Some(tensor), None) => Some(matrix(tensor, config.features()).map_err(&wrong)?),
            (Some(tensor), Some(_)) => {
                let d = tensor.shape.last().copied().unwrap_or(0);
                Some(matrix(tensor, d).map_err(&wrong)?)
            }
            (None, Some(_)) => return Err(wrong(format!("`{ROWS}` is missing"))),
            (None, None) => None,
        };
        let members = flows.split_off(1);
        let flow = flows.swap_remove(0);
        let file = Self { flow, record, rows: None, completion: None, members };
        match (rows, free) {
            (Some(rows), Some(free)) => file
                .with_completion(rows.as_view(), &free)
                .map_err(|error| wrong(format!("its `{FREE}` does not fit: {error}"))),
            (rows, _) => Ok(Self { rows, ..file }),
        }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, FlowError> {
        self.check_members()?;
        let mut tensors = Vec::new();
        let mut meta = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), self.version().to_owned()),
            ("config".to_owned(), json(self.flow.config())),
            ("precision".to_owned(), json(&self.flow.precision())),
            ("training".to_owned(), json(&self.record)),
        ]);
        for (i, flow) in self.flows().enumerate() {
            let prefix = prefix(i);
            for (name, tensor) in flow.state_dict()?.iter() {
                let name = format!("{prefix}{name}");
                tensors.push(Stored::new(&name, tensor, flow.precision()));
            }
            if !flow.marginals().are_affine() {
                meta.insert(key(i), json(flow.marginals()));
            }
        }
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
        if let Some(completion) = &self.completion {
            meta.insert(FREE.to_owned(), json(&completion.free()));
        }
        if !self.members.is_empty() {
            meta.insert(MEMBERS.to_owned(), json(&self.members.len()));
        }
        Ok(to_safetensors(tensors, meta))
    }

    /// The flow and its members.
    fn flows(&self) -> impl Iterator<Item = &Flow> {
        std::iter::once(&self.flow).chain(&self.members)
    }

    fn version(&self) -> &'static str {
        if self.completion.is_some() {
            VERSION_WITH_COMPLETION
        } else if !self.members.is_empty() {
            VERSION_WITH_MEMBERS
        } else if self.flow.marginals().are_affine() && self.rows.is_none() {
            VERSION
        } else {
            VERSION_WITH_EXTRAS
        }
    }

    fn check_members(&self) -> Result<(), FlowError> {
        let count = self.members.len();
        if count > MOST_MEMBERS {
            return Err(FlowError::setting("members", "at most 100", count));
        }
        let flow = &self.flow;
        let same = |member: &Flow| {
            member.config() == flow.config()
                && member.precision() == flow.precision()
                && member.standardise().mean() == flow.standardise().mean()
                && member.standardise().sd() == flow.standardise().sd()
        };
        match self.members.iter().position(|member| !same(member)) {
            Some(bad) => {
                let condition = "of the architecture, the precision and the moments of the flow";
                Err(FlowError::setting("members", condition, format!("another at {bad}")))
            }
            None => Ok(()),
        }
    }
}

/// All outcomes, or 50,000 of them, evenly spread over their order.
fn thinned(x: DMatrixView<'_, f64>) -> DMatrix<f64> {
    let n = x.ncols();
    let kept = n.min(MOST_ROWS);
    let chosen: Vec<usize> =
        (0..kept).map(|i| (i as u128 * n as u128 / kept as u128) as usize).collect();
    x.select_columns(&chosen)
}

/// What the tensors of flow `i` begin with: nothing for the flow itself, `member.0.` for the first member.
fn prefix(i: usize) -> String {
    i.checked_sub(1).map_or(String::new(), |k| format!("member.{k}."))
}

/// Key of the marginal maps of flow `i`.
fn key(i: usize) -> String {
    prefix(i) + MARGINALS
}

/// Which flow of a file with `members` members has this tensor, and its name there.
fn place(name: &str, members: usize) -> (usize, &str) {
    let parts = name.strip_prefix("member.").and_then(|rest| rest.split_once('.'));
    match parts.and_then(|(k, name)| Some((k.parse::<usize>().ok()?, name))) {
        Some((k, name)) if k < members => (k + 1, name),
        _ => (0, name),
    }
}

/// The outcomes of a file, `[d, n]`.
fn matrix(tensor: HostTensor, d: usize) -> Result<DMatrix<f64>, String> {
    match tensor.shape[..] {
        [n, features]
            if features == d && d > 0 && n > 0 && n.checked_mul(d) == Some(tensor.data.len()) => {}
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

/// An entry of the metadata, or the default value without one.
fn optional<T: DeserializeOwned + Default>(
    meta: &HashMap<String, String>,
    key: &str,
) -> Result<T, String> {
    if meta.contains_key(key) { parse(meta, key) } else { Ok(T::default()) }
}

fn parse<T: DeserializeOwned>(meta: &HashMap<String, String>, key: &str) -> Result<T, String> {
    let text = meta.get(key).ok_or_else(|| format!("its metadata has no `{key}`"))?;
    serde_json::from_str(text).map_err(|error| format!("its `{key}` cannot be read: {error}"))
}
