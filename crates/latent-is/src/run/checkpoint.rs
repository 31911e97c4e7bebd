//! Checkpoint files: one JSON object, written as a whole.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the first field of every checkpoint says.
const FORMAT: &str = "latent-is checkpoint";
/// Version of the format that is written. Version 1 had other names, version 2 no checksum; both are
/// refused.
const VERSION: u32 = 3;

/// Why a checkpoint cannot be written or resumed from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A run would overwrite a checkpoint.
    #[error("{}: there is a checkpoint already; resume it or remove the file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a checkpoint of this library.
    #[error("{}: not a checkpoint of latent-is", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is a checkpoint that is cut off or damaged.
    #[error("{}: the checkpoint is cut off or damaged ({reason}); start again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// what the parser reports.
        reason: String,
    },
    /// A later version of this library wrote the file.
    #[error("{}: format version {version}, this program reads version {VERSION}; use a newer one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// An earlier version of this library wrote the file.
    #[error("{}: format version {version}, this program reads version {VERSION} only; start again", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The checkpoint belongs to another run.
    #[error("{}: {what} differs: the checkpoint has {found}, this run {wanted}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: String,
        /// In the checkpoint.
        found: String,
        /// In this run.
        wanted: String,
    },
    /// The state cannot be written as JSON.
    #[error("{}: the state cannot be written: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What tells one run from another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) estimator: String,
    pub(super) settings: Value,
    pub(super) seed: u64,
    pub(super) dim: usize,
    pub(super) label: String,
    pub(super) on_nan: Value,
}

/// Costs so far that no state knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spent {
    pub(super) steps: u64,
    pub(super) seconds: f64,
    /// NanEvaluations evaluations that counted as failures.
    pub(super) as_failures: u64,
}

#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    version: u32,
    checksum: &'static str,
    identity: &'a Identity,
    spent: Spent,
    state: &'a Value,
}

#[derive(Deserialize)]
struct Read {
    spent: Spent,
    state: Value,
}

/// Writes the checkpoint so that the file is always either the old or the new one.
pub(super) fn write(
    path: &Path,
    identity: &Identity,
    spent: Spent,
    state: &Value,
) -> Result<(), CheckpointError> {
    let io = |source| CheckpointError::Io { path: path.to_owned(), source };
    let written = Written {
        format: FORMAT,
        version: VERSION,
        checksum: safe_file::PLACEHOLDER,
        identity,
        spent,
        state,
    };
    let mut text = serde_json::to_vec(&written).map_err(|e| CheckpointError::Unwritable {
        path: path.to_owned(),
        reason: e.to_string(),
    })?;
    safe_file::seal(&mut text);
    safe_file::write(path, text).map_err(io)
}

/// Whether there is something at the path.
pub(super) fn exists(path: &Path) -> bool {
    path.exists()
}

/// Reads the checkpoint of the run `identity`.
pub(super) fn read(path: &Path, identity: &Identity) -> Result<(Spent, Value), CheckpointError> {
    let path = || path.to_owned();
    let bytes = fs::read(path()).map_err(|source| CheckpointError::Io { path: path(), source })?;
    let damaged =
        |e: serde_json::Error| CheckpointError::Damaged { path: path(), reason: e.to_string() };
    let begins = bytes.starts_with(format!(r#"{{"format":"{FORMAT}""#).as_bytes());
    let value: Value = match serde_json::from_slice(&bytes) {
        Ok(value) => value,
        Err(e) if begins => return Err(damaged(e)),
        Err(_) => return Err(CheckpointError::Foreign { path: path() }),
    };
    if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(CheckpointError::Foreign { path: path() });
    }
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version > u64::from(VERSION) => {
            return Err(CheckpointError::Newer { path: path(), version });
        }
        Some(version) if version < u64::from(VERSION) => {
            return Err(CheckpointError::Older { path: path(), version });
        }
        Some(_) => {}
        None => return Err(CheckpointError::Foreign { path: path() }),
    }
    if !safe_file::verify(&bytes) {
        let reason = "its checksum does not match".to_owned();
        return Err(CheckpointError::Damaged { path: path(), reason });
    }
    let found: Identity = serde_json::from_value(value["identity"].clone()).map_err(damaged)?;
    if let Some((what, found, wanted)) = difference(&found, identity) {
        return Err(CheckpointError::Other { path: path(), what, found, wanted });
    }
    let read: Read = serde_json::from_value(value).map_err(damaged)?;
    Ok((read.spent, read.state))
}

/// The first thing that differs, in the checkpoint and in this run.
fn difference(found: &Identity, wanted: &Identity) -> Option<(String, String, String)> {
    let shown = |v: &Value| v.to_string();
    let pairs = [
        ("the estimator", found.estimator.clone(), wanted.estimator.clone()),
        ("the number of coordinates", found.dim.to_string(), wanted.dim.to_string()),
        ("the label", found.label.clone(), wanted.label.clone()),
        ("the seed", found.seed.to_string(), wanted.seed.to_string()),
        ("the policy for NaN", shown(&found.on_nan), shown(&wanted.on_nan)),
    ];
    let differs = pairs.into_iter().find(|(_, a, b)| a != b);
    differs.map(|(what, a, b)| (what.to_owned(), a, b)).or_else(|| {
        let (path, a, b) = leaf("", &found.settings, &wanted.settings)?;
        Some((format!("the setting {path}"), a, b))
    })
}

/// The first leaf at which two values differ.
fn leaf(path: &str, a: &Value, b: &Value) -> Option<(String, String, String)> {
    if a == b {
        return None;
    }
    if let (Value::Object(x), Value::Object(y)) = (a, b) {
        for key in x.keys().chain(y.keys()) {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let at = |o: &serde_json::Map<String, Value>| o.get(key).cloned().unwrap_or_default();
            if let Some(found) = leaf(&path, &at(x), &at(y)) {
                return Some(found);
            }
        }
    }
    Some((path.to_owned(), a.to_string(), b.to_string()))
}

/// Whether an error means that there is no file.
pub(super) fn is_missing(error: &CheckpointError) -> bool {
    matches!(error, CheckpointError::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}
