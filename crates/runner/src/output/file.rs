//! Files that are written completely or not at all.
//!
//! All result files of this crate go through [`replace`]. Files that grow while a run goes on
//! (finished blocks of a simulation, finished trials) are appended to instead.

use std::{fs::File, io::Write, path::Path};

use anyhow::Context;

/// Writes `contents` to a temporary file in the folder of `path`, then renames it to `path`.
///
/// # Errors
/// When the folder cannot be created or the file cannot be written. `path` is then unchanged.
pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> anyhow::Result<()> {
    replace(path, |file| Ok(file.write_all(contents.as_ref())?))
}

/// Lets `fill` write a temporary file in the folder of `path`, then renames it to `path`.
///
/// # Errors
/// As [`write()`], and when `fill` fails.
pub fn replace(
    path: &Path,
    fill: impl FnOnce(&mut File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    try_replace(path, fill).with_context(|| format!("cannot write {}", path.display()))
}

fn try_replace(
    path: &Path,
    fill: impl FnOnce(&mut File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    // The usual mode of a new file; a temporary file would be readable by its owner only. The umask
    // of the process still applies.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    fill(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
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
