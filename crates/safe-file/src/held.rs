//! The files and folders that this process removes when it ends early.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Temporary files, locks and new folders of this process.
static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn held() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a file or a folder that is to be removed.
pub(crate) fn hold(path: &Path) {
    held().insert(path.to_owned());
}

/// Removes a file or a folder that was noted. After a renaming there is no such file; a folder with a file
/// in it stays.
pub(crate) fn release(path: &Path) {
    let mut held = held();
    if held.remove(path) {
        remove(path);
    }
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
}

/// Removes the temporary files, the locks and the new empty folders of this process, for a handler of
/// signals that ends the process right afterwards. A file that is being written stays as it was before.
pub fn abandon() {
    let mut held = held();
    // A folder comes before what is in it, so backwards.
    for path in std::mem::take(&mut *held).iter().rev() {
        remove(path);
    }
    // Stays locked, so that no other thread goes on to use a new temporary file.
    std::mem::forget(held);
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;
    use crate::{Claim, litter::Temporary, write};

    #[test]
    fn what_is_held_is_known_until_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/x.csv");
        let in_folder = || held().iter().filter(|held| held.starts_with(folder.path())).count();
        let claim = Claim::new(&path).unwrap();
        let temporary = Temporary::beside(&path, &OpenOptions::new()).unwrap();
        assert_eq!(in_folder(), 3);
        drop(temporary);
        write(&path, "1").unwrap();
        assert_eq!(in_folder(), 2);
        drop(claim);
        assert_eq!(in_folder(), 0);
        assert!(path.exists());
    }
}
