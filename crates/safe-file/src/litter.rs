//! Temporary files: their names, and the removal of those that a killed process left.
//!
//! A process holds a lock on each of its temporary files. The operating system releases the locks of a
//! process that ends, however it ends, so a temporary file without a lock is litter.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    held::{hold, release},
    target::{folder_of, stem},
};

/// The end of the names of temporary files.
const ENDING: &str = ".unfinished";

/// A temporary file, which is removed unless it is renamed.
pub(crate) struct Temporary {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
}

impl Temporary {
    /// Creates a temporary file in the folder of `path`: `.NAME.PROCESS-NUMBER.unfinished`.
    pub(crate) fn beside(path: &Path, options: &OpenOptions) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}.{}-{number}{ENDING}", stem(path), process::id());
            let path = folder_of(path).join(name);
            let file = match options.clone().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    hold(&path);
                    file
                }
                // A process of this number was here before.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // A file system without locks works, but its litter stays.
            let _ = file.lock();
            // Another process may have taken the file for litter before the lock was there.
            if path.exists() {
                return Ok(Self { path, file });
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        release(&self.path);
    }
}

/// Removes what killed processes left of `path`, the first time that this process writes `path`.
pub(crate) fn remove_once(path: &Path) {
    static DONE: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if done.get_or_insert_default().insert(path.to_owned()) {
        remove(path);
    }
}

fn remove(path: &Path) {
    let begin = format!("{}.", stem(path));
    let Ok(folder) = fs::read_dir(folder_of(path)) else { return };
    for entry in folder.flatten() {
        let name = entry.file_name();
        let middle = name.to_str().and_then(|n| n.strip_prefix(&begin)?.strip_suffix(ENDING));
        let ours = middle.and_then(|m| m.split_once('-')).is_some_and(|(process, number)| {
            [process, number].iter().all(|part| part.parse::<u64>().is_ok())
        });
        let regular = entry.file_type().is_ok_and(|kind| kind.is_file());
        if ours && regular && is_unlocked(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_unlocked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_litter_of_this_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [".a.npy.17-3.unfinished", ".b.npy.17-3.unfinished", ".a.npy.x.unfinished"] {
            fs::write(at(name), "").unwrap();
        }
        let live = Temporary::beside(&at("a.npy"), &OpenOptions::new()).unwrap();
        remove(&at("a.npy"));
        assert!(!at(".a.npy.17-3.unfinished").exists(), "litter");
        assert!(at(".b.npy.17-3.unfinished").exists(), "of another file");
        assert!(at(".a.npy.x.unfinished").exists(), "another name");
        assert!(live.path.exists(), "in use");
        let path = live.path.clone();
        drop(live);
        assert!(!path.exists());
    }
}
