//! One run at a time per file.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
};

use crate::{
    held::{hold, release},
    replace::check_writable,
    target::{Target, folder_of, make_folder, stem},
};

/// The right to write a file, held from before the work to after the writing.
///
/// It is a lock on `.NAME.lock` next to the file. The operating system releases it when the process
/// ends, however it ends.
#[derive(Debug)]
pub struct Claim {
    lock: Option<(PathBuf, File)>,
    /// Folders that were made for the file, innermost first.
    folders: Vec<PathBuf>,
}

impl Claim {
    /// Claims `path`: makes its folder, checks that the file can be written and locks it against other
    /// runs. A device or a pipe is not locked.
    ///
    /// # Errors
    /// What keeps the file from being written, or the process that works on it.
    pub fn new(path: &Path) -> io::Result<Self> {
        let Target::File(path) = Target::of(path)? else {
            return Ok(Self { lock: None, folders: Vec::new() });
        };
        let folders = make_folder(folder_of(&path))?;
        for folder in &folders {
            hold(folder);
        }
        // Dropping it removes the folders again.
        let mut claim = Self { lock: None, folders };
        check_writable(&path)?;
        claim.lock = Some(lock(folder_of(&path).join(format!("{}.lock", stem(&path))))?);
        Ok(claim)
    }
}

/// Creates and locks the file at `path` and writes the number of this process to it.
fn lock(path: PathBuf) -> io::Result<(PathBuf, File)> {
    loop {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let _ = (&mut file).take(20).read_to_string(&mut owner);
                let owner = match owner.trim() {
                    "" => "another process".to_owned(),
                    number => format!("process {number}"),
                };
                let text = format!("{owner} works on it; wait for it or choose another name");
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
            }
            // A file system without locks: nothing can be promised, but the work can be done.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        // The owner before may have removed the file between opening and locking.
        if is_at(&file, &path) {
            hold(&path);
            file.set_len(0)?;
            writeln!(file, "{}", process::id())?;
            return Ok((path, file));
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |found: fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => id(open) == id(named),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some((path, file)) = self.lock.take() {
            // Removed while it is locked, so that no other run can lock a removed file unnoticed.
            release(&path);
            drop(file);
        }
        // A folder with a file in it stays.
        for folder in &self.folders {
            release(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write;

    #[test]
    fn the_second_run_learns_the_process_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flow.safetensors");
        let claim = Claim::new(&path).unwrap();
        let refused = Claim::new(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {} works on it", process::id())), "{refused}");
        drop(claim);
        // What a killed run leaves does not stand in the way.
        fs::write(folder.path().join(".flow.safetensors.lock"), "123456\n").unwrap();
        drop(Claim::new(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_missing_folder_is_made_and_stays_only_with_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        drop(Claim::new(&path).unwrap());
        assert!(!folder.path().join("a").exists());
        let claim = Claim::new(&path).unwrap();
        write(&path, "1").unwrap();
        drop(claim);
        assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 1);
        fs::write(folder.path().join("plain"), "").unwrap();
        assert!(Claim::new(&folder.path().join("plain/file")).is_err());
        Claim::new(Path::new("/dev/null")).unwrap();
    }
}
