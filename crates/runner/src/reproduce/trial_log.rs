//! The log of finished trials, from which an interrupted evaluation resumes.
//!
//! A text file: one line of JSON that says what is evaluated, then one line of JSON per trial. The last
//! key of each line is a checksum of the rest of the line and, for a trial, of the first line.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::reproduce::{key::RowKey, trial::Trial};

/// Value of the key `format` of the first line.
const FORMAT: &str = "latent-is trials";
/// Version of the format. Version 1 had neither the key `format` nor checksums.
const VERSION: u32 = 2;
/// What stands before the checksum at the end of a line.
const CHECKSUM: &str = ",\"checksum\":\"";

/// A finished trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// The row.
    #[serde(flatten)]
    pub key: RowKey,
    /// Number of the trial within the row, from zero.
    pub trial: usize,
    /// Its outcome.
    #[serde(flatten)]
    pub outcome: Trial,
}

/// The file of finished trials.
pub(super) struct TrialLog {
    path: PathBuf,
    /// The first line.
    header: String,
    file: Mutex<File>,
    done: HashMap<(RowKey, usize), Trial>,
}

impl TrialLog {
    /// Opens or creates the log of the evaluation that `identity` describes. Trials of another
    /// evaluation are discarded, and so is an incomplete last line.
    ///
    /// # Errors
    /// When the file cannot be read or written, is not a log of trials, or was changed.
    pub(super) fn open(path: &Path, identity: &impl Serialize) -> anyhow::Result<Self> {
        Self::open_for(path, identity).with_context(|| format!("cannot use {}", path.display()))
    }

    fn open_for(path: &Path, identity: &impl Serialize) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let header =
            serde_json::json!({ "format": FORMAT, "version": VERSION, "identity": identity });
        let header = sealed(&serde_json::to_string(&header)?, "");
        let mut done = HashMap::new();
        let mut end = header.len();
        if let Some(lines) = bytes.strip_prefix(header.as_bytes()) {
            for (i, line) in lines.split_inclusive(|b| *b == b'\n').enumerate() {
                if !line.ends_with(b"\n") {
                    break;
                }
                let record = trial(line, &header).with_context(|| {
                    format!(
                        "line {} was changed or damaged; remove it or the file, or choose another \
                         folder with --out",
                        i + 2
                    )
                })?;
                done.insert((record.key, record.trial), record.outcome);
                end += line.len();
            }
            file.set_len(end as u64)?;
            file.seek(SeekFrom::Start(end as u64))?;
        } else {
            require_log(&bytes)?;
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(header.as_bytes())?;
        }
        Ok(Self { path: path.to_owned(), header, file: Mutex::new(file), done })
    }

    /// Number of trials that an earlier run finished.
    pub(super) fn len(&self) -> usize {
        self.done.len()
    }

    /// A trial that an earlier run finished.
    pub(super) fn get(&self, key: RowKey, trial: usize) -> Option<&Trial> {
        self.done.get(&(key, trial))
    }

    /// Appends a finished trial.
    pub(super) fn append(&self, record: &TrialRecord) -> anyhow::Result<()> {
        let line = sealed(&serde_json::to_string(record)?, &self.header);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes())
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Removes the file: the evaluation is complete.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        drop(self.file);
        std::fs::remove_file(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }
}

/// The line of a JSON object, with the checksum of `before` and of the object as its last key.
fn sealed(object: &str, before: &str) -> String {
    let open = object.strip_suffix('}').unwrap_or(object);
    let checksum = safe_file::digest(&[before.as_bytes(), open.as_bytes()]);
    format!("{open}{CHECKSUM}{checksum}\"}}\n")
}

/// The trial in a line that [`sealed`] made after `header`.
fn trial(line: &[u8], header: &str) -> anyhow::Result<TrialRecord> {
    let text = std::str::from_utf8(line)?;
    let (open, _) = text.rsplit_once(CHECKSUM).context("it has no checksum")?;
    let object = format!("{open}}}");
    anyhow::ensure!(sealed(&object, header) == text, "its checksum does not match");
    Ok(serde_json::from_str(&object)?)
}

/// Refuses a file that is not a log of trials, before the work whose trials it would hold.
///
/// # Errors
/// When the file cannot be read or another program wrote it.
pub(super) fn refuse_foreign(path: &Path) -> anyhow::Result<()> {
    match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        read => read.map_err(anyhow::Error::new).and_then(|bytes| require_log(&bytes)),
    }
    .with_context(|| format!("cannot use {}", path.display()))
}

/// Refuses what this program has not written, for whatever evaluation, and a changed first line.
fn require_log(bytes: &[u8]) -> anyhow::Result<()> {
    let begin = format!("{{\"format\":\"{FORMAT}\"").into_bytes();
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    // Version 1 began with these keys.
    let old = serde_json::from_slice::<serde_json::Value>(line)
        .is_ok_and(|header| ["experiment", "figures"].iter().all(|key| !header[key].is_null()));
    // A run may have been interrupted while it wrote the first line.
    anyhow::ensure!(
        bytes.starts_with(&begin) || begin.starts_with(bytes) || old,
        "it is not a log of trials of this program; remove it or choose another folder with --out"
    );
    if bytes.starts_with(&begin) && line.len() < bytes.len() {
        let (open, _) = std::str::from_utf8(line)?.rsplit_once(CHECKSUM).unwrap_or_default();
        anyhow::ensure!(
            sealed(&format!("{open}}}"), "").trim_end().as_bytes() == line,
            "its first line was changed or damaged; remove it or choose another folder with --out"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(trial: usize) -> TrialRecord {
        let outcome = Trial {
            pf: 0.1 + 0.2,
            nll: 4.0,
            coverage: 0.9,
            density: 1.0,
            evaluations: 12,
            covered: true,
            flagged: false,
            seconds: 0.5,
            levels: Vec::new(),
        };
        TrialRecord { key: RowKey::all()[0], trial, outcome }
    }

    #[test]
    fn finished_trials_are_read_back_exactly_without_an_incomplete_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/trials.jsonl");
        let log = TrialLog::open(&path, &"this").unwrap();
        for trial in 0..3 {
            log.append(&record(trial)).unwrap();
        }
        drop(log);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();

        let log = TrialLog::open(&path, &"this").unwrap();
        assert_eq!((log.len(), log.get(record(1).key, 1)), (2, Some(&record(1).outcome)));
        log.append(&record(2)).unwrap();
        drop(log);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);

        let log = TrialLog::open(&path, &"another").unwrap();
        assert_eq!(log.len(), 0);
        log.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn foreign_and_changed_files_are_refused_and_left_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let error = format!("{:#}", TrialLog::open(&path, &"this").err().unwrap());
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
            assert!(error.contains("trials.jsonl"), "{error}");
            error
        };
        for foreign in [&b"{\"a\": 1}\n"[..], b"my notes", b"\xff\xfe\x00", b"[]\n", b"\n"] {
            let error = refused(foreign);
            assert!(error.contains("not a log of trials"), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
        let log = TrialLog::open(&path, &"this").unwrap();
        for trial in 0..2 {
            log.append(&record(trial)).unwrap();
        }
        drop(log);
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = text.replacen("\"evaluations\":12", "\"evaluations\":13", 1);
        assert_ne!(changed, text);
        let error = refused(changed.as_bytes());
        assert!(error.contains("line 2 was changed"), "{error}");
        let error =
            refused(text.replacen("\"identity\":\"this\"", "\"identity\":\"that\"", 1).as_bytes());
        assert!(error.contains("first line was changed"), "{error}");
        let error = refused(text.replacen("\"trial\":1", "\"trial\":7", 1).as_bytes());
        assert!(error.contains("line 3 was changed"), "{error}");

        // A log of version 1 belongs to another evaluation.
        std::fs::write(&path, "{\"experiment\":{},\"figures\":{},\"version\":\"0.1.0\"}\n")
            .unwrap();
        assert_eq!(TrialLog::open(&path, &"this").unwrap().len(), 0);
    }

    /// Each byte changed in three ways, and the log cut at each place: trials that were written, or an
    /// error.
    #[test]
    fn a_damaged_log_never_gives_other_trials() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        let log = TrialLog::open(&path, &"this").unwrap();
        for trial in 0..2 {
            log.append(&record(trial)).unwrap();
        }
        drop(log);
        let good = std::fs::read(&path).unwrap();
        for i in 0..good.len() {
            let mut changed = vec![good[..i].to_vec()];
            for byte in [0, b'9', good[i] ^ 0x10] {
                let mut bytes = good.clone();
                bytes[i] = byte;
                changed.push(bytes);
            }
            for bytes in changed {
                std::fs::remove_file(&path).ok();
                std::fs::write(&path, bytes).unwrap();
                let Ok(log) = TrialLog::open(&path, &"this") else { continue };
                let key = record(0).key;
                let known = (0..2).filter(|trial| log.get(key, *trial).is_some()).count();
                assert_eq!(known, log.len(), "byte {i}");
                for trial in 0..2 {
                    let found = log.get(key, trial);
                    assert!(found.is_none_or(|found| *found == record(trial).outcome), "byte {i}");
                }
            }
        }
    }
}
