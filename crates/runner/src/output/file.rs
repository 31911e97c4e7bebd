//! Files that are written completely or not at all.
//!
//! All result files of this crate go through [`replace`], which adds the name of the file to the errors
//! of [`safe_file`]. Files that grow while a run goes on (finished blocks of a simulation, finished
//! trials) are appended to instead.

use std::{fs::File, io::Write, path::Path};

use anyhow::Context;

/// Writes `contents` to `path` as a whole; see [`safe_file::replace`].
///
/// # Errors
/// When the folder cannot be created or the file cannot be written. `path` is then unchanged.
pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> anyhow::Result<()> {
    replace(path, |file| Ok(file.write_all(contents.as_ref())?))
}

/// Lets `fill` write the contents of `path`; see [`safe_file::replace`].
///
/// # Errors
/// As [`write()`], and when `fill` fails.
pub fn replace(
    path: &Path,
    fill: impl FnOnce(&mut File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    safe_file::replace(path, fill).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_no_other_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/table.md");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn an_unwritable_path_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = write(&folder.path().join("file/table.md"), "").unwrap_err();
        assert!(error.to_string().contains("file/table.md"), "{error}");
    }
}
