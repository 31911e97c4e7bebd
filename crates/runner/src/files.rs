//! Files that are written whole or not at all.

use std::{fs::File, io::Write, path::Path};

use anyhow::Context;

/// Writes `contents` under a temporary name beside `path`, then renames it.
///
/// # Errors
/// When the folder cannot be made or the file cannot be written; `path` is then as it was.
pub fn write(path: &Path, contents: &str) -> anyhow::Result<()> {
    write_bytes(path, contents.as_bytes())
}

/// As [`write()`], for contents that are no text.
///
/// # Errors
/// As [`write()`].
pub fn write_bytes(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    replace(path, |file| Ok(file.write_all(contents)?))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Lets `fill` write a temporary file beside `path`, then renames it.
pub(crate) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    // Readable as any new file is, not by its owner alone; the process's mask still applies.
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
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
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
