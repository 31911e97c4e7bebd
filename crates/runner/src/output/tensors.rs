//! Matrices with facts about them in one safetensors file.

use std::{collections::HashMap, path::Path};

use anyhow::Context;
use nalgebra::DMatrix;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Serialize, de::DeserializeOwned};

use crate::output::file;

/// Key of the facts.
const FACTS: &str = "facts";

/// What a file is: `format` names it, `kind` says it in messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileKind {
    /// The entry `format` of the file.
    pub(crate) format: &'static str,
    /// The entry `version`.
    pub(crate) version: &'static str,
    /// A word for messages, such as `reference`.
    pub(crate) kind: &'static str,
}

/// Writes matrices `[d, n]` with their names, and facts; an existing file is replaced as a whole.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(
    path: &Path,
    what: FileKind,
    facts: &impl Serialize,
    matrices: &[(String, &DMatrix<f64>)],
) -> anyhow::Result<()> {
    let bytes = |x: &DMatrix<f64>| -> Vec<u8> { x.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let stored: Vec<_> = matrices.iter().map(|(name, x)| (name, x.shape(), bytes(x))).collect();
    let tensors = stored
        .iter()
        // A column-major [d, n] matrix is a row-major [n, d] tensor.
        .map(|(name, (d, n), data)| Ok((name, TensorView::new(Dtype::F64, vec![*n, *d], data)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let meta = HashMap::from([
        ("format".to_owned(), what.format.to_owned()),
        ("version".to_owned(), what.version.to_owned()),
        (FACTS.to_owned(), serde_json::to_string(facts)?),
    ]);
    file::write(path, safetensors::serialize(tensors, Some(meta))?)
}

/// The matrices of a file, read back.
pub(crate) struct Tensors<'a> {
    stored: SafeTensors<'a>,
    facts: String,
    origin: String,
    kind: &'static str,
}

impl<'a> Tensors<'a> {
    /// Reads the bytes of a file; `origin` names it in messages.
    ///
    /// # Errors
    /// When the bytes are truncated, not `what`, or of another version.
    pub(crate) fn read(bytes: &'a [u8], what: FileKind, origin: &str) -> anyhow::Result<Self> {
        let kind = what.kind;
        let broken = || broken(origin, kind);
        let (_, header) = SafeTensors::read_metadata(bytes).with_context(broken)?;
        let meta = header.metadata().clone().unwrap_or_default();
        anyhow::ensure!(
            meta.get("format").map(String::as_str) == Some(what.format),
            "{origin} is not a {kind} written by this program"
        );
        let version = meta.get("version").map_or("none", String::as_str);
        anyhow::ensure!(
            version == what.version,
            "{origin} has format version {version}, this program reads version {}",
            what.version
        );
        let facts = meta.get(FACTS).cloned().unwrap_or_default();
        let stored = SafeTensors::deserialize(bytes).with_context(broken)?;
        Ok(Self { stored, facts, origin: origin.to_owned(), kind })
    }

    /// The facts.
    ///
    /// # Errors
    /// When there are none of this type.
    pub(crate) fn facts<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_str(&self.facts).with_context(|| broken(&self.origin, self.kind))
    }

    /// Whether there is a matrix of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.stored.tensor(name).is_ok()
    }

    /// The matrix `[d, n]` of this name.
    ///
    /// # Errors
    /// When there is none, or it holds other numbers than `f64`.
    pub(crate) fn matrix(&self, name: &str) -> anyhow::Result<DMatrix<f64>> {
        let origin = &self.origin;
        let view = self.stored.tensor(name).with_context(|| broken(origin, self.kind))?;
        let [n, d] = view.shape() else { anyhow::bail!("{origin}: `{name}` is not a matrix") };
        anyhow::ensure!(
            view.dtype() == Dtype::F64,
            "{origin}: the numbers of `{name}` are not f64"
        );
        let numbers = view.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b));
        Ok(DMatrix::from_iterator(*d, *n, numbers))
    }
}

fn broken(origin: &str, kind: &str) -> String {
    format!("{origin} is truncated or not a {kind}")
}
