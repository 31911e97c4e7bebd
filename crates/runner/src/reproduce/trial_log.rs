//! The log of finished trials, from which an interrupted evaluation resumes.
//!
//! A text file: one line of JSON that says what is evaluated, then one line of JSON per trial.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::reproduce::{key::RowKey, trial::Trial};

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
    file: Mutex<File>,
    done: HashMap<(RowKey, usize), Trial>,
}

impl TrialLog {
    /// Opens or creates the log of the evaluation that `identity` describes. Trials of another
    /// evaluation are discarded, and so is an incomplete last line.
    pub(super) fn open(path: &Path, identity: &impl Serialize) -> anyhow::Result<Self> {
        let named = || format!("cannot use {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(named)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).with_context(named)?;
        let mut text = String::new();
        // A file that is not text is not a log.
        if file.read_to_string(&mut text).is_err() {
            text.clear();
        }
        let header = serde_json::to_string(identity)? + "\n";
        let mut done = HashMap::new();
        let mut end = header.len();
        if let Some(lines) = text.strip_prefix(&header) {
            for line in lines.split_inclusive('\n') {
                let Ok(record) = serde_json::from_str::<TrialRecord>(line) else { break };
                if !line.ends_with('\n') {
                    break;
                }
                done.insert((record.key, record.trial), record.outcome);
                end += line.len();
            }
            file.set_len(end as u64).with_context(named)?;
            file.seek(SeekFrom::Start(end as u64)).with_context(named)?;
        } else {
            file.set_len(0).with_context(named)?;
            file.seek(SeekFrom::Start(0)).with_context(named)?;
            file.write_all(header.as_bytes()).with_context(named)?;
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), done })
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
        let line = serde_json::to_string(record)? + "\n";
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
}
