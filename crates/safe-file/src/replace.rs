//! Writing a file as a whole.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    path::Path,
};

use crate::{
    litter::{Temporary, remove_once},
    target::{Target, folder_of, make_folder},
};

/// Writes `contents` to `path` as a whole, as [`replace`] does.
///
/// # Errors
/// As [`replace`].
pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
    replace(path, |file| file.write_all(contents.as_ref()))
}

/// Lets `fill` write a temporary file in the folder of `path`, then renames it to `path`.
///
/// - A missing folder is made.
/// - A symbolic link stays; the file it points to is replaced.
/// - The mode of an existing file is kept; a new file has the usual one (`umask`).
/// - A device or a pipe is written to directly.
/// - The bytes are on the disk before the renaming.
/// - Temporary files that killed processes left of `path` are removed.
///
/// # Errors
/// When the folder cannot be made, the file cannot be written or `fill` fails. A regular file at `path`
/// is then unchanged.
pub fn replace<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    match Target::of(path)? {
        // A file behind `/dev/stdout` is at its end, not at its beginning.
        Target::Stream(path) => fill(&mut OpenOptions::new().append(true).open(path)?),
        Target::File(path) => {
            make_folder(folder_of(&path))?;
            remove_once(&path);
            let mut temporary = temporary(&path)?;
            fill(&mut temporary.file)?;
            temporary.file.sync_all()?;
            fs::rename(&temporary.path, &path)?;
            sync_folder(folder_of(&path));
            Ok(())
        }
    }
}

/// Checks that [`replace`] can write `path`: the folder exists and a file can be created in it, and an
/// existing file can be opened for writing. Does not make a folder: [`Claim`](crate::Claim) does.
///
/// # Errors
/// What keeps the file from being written.
pub fn check_writable(path: &Path) -> io::Result<()> {
    // Opening a pipe would wait for its reader.
    let Target::File(path) = Target::of(path)? else { return Ok(()) };
    remove_once(&path);
    temporary(&path).map(drop)
}

/// A temporary file with the mode and, where possible, the owner of the file at `path`.
fn temporary(path: &Path) -> io::Result<Temporary> {
    let Ok(old) = fs::metadata(path) else {
        return Temporary::beside(path, &OpenOptions::new());
    };
    // A file that may not be written may not be replaced either.
    OpenOptions::new().write(true).open(path)?;
    let mut options = OpenOptions::new();
    keep_private(&mut options, &old);
    let temporary = Temporary::beside(path, &options)?;
    keep_owner(&temporary.file, &old);
    temporary.file.set_permissions(old.permissions())?;
    Ok(temporary)
}

/// Creates the file with the old mode, so that nobody else can read it even for a moment.
#[cfg(unix)]
fn keep_private(options: &mut OpenOptions, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    options.mode(old.mode() & 0o777);
}

#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let same = |new: Metadata| (new.uid(), new.gid()) == (old.uid(), old.gid());
    if !file.metadata().is_ok_and(same) {
        // Only the superuser may give files away; the new owner is then the writer.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
}

/// The new name is on the disk after this, where the file system can do it.
#[cfg(unix)]
fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(not(unix))]
fn keep_private(_: &mut OpenOptions, _: &Metadata) {}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) {}

#[cfg(not(unix))]
fn sync_folder(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_no_other_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/table.md");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn folders_and_files_in_the_place_of_folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(folder.path(), "").unwrap_err().to_string().contains("folder"));
        assert!(write(Path::new("/"), "").is_err());
        assert!(check_writable(&folder.path().join("new/")).is_err());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(write(&folder.path().join("file/table.md"), "").is_err());
        assert!(check_writable(&folder.path().join("absent/table.md")).is_err());
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{PermissionsExt, symlink};

        use super::*;

        #[test]
        fn the_mode_is_kept() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("secret");
            let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            // The usual mode, under the umask of this process.
            fs::write(folder.path().join("usual"), "").unwrap();
            let usual = fs::metadata(folder.path().join("usual")).unwrap().permissions().mode();
            write(&path, "one").unwrap();
            assert_eq!(mode(), usual & 0o777);
            for kept in [0o600, 0o666, 0o750] {
                fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
                write(&path, "two").unwrap();
                assert_eq!(mode(), kept);
            }
        }

        #[test]
        fn links_are_followed() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::create_dir(at("far")).unwrap();
            symlink("far/real", at("link")).unwrap();
            symlink("link", at("second")).unwrap();
            // The file does not exist yet, then it does.
            for contents in ["one", "two"] {
                write(&at("second"), contents).unwrap();
                assert_eq!(fs::read_to_string(at("far/real")).unwrap(), contents);
                assert!(fs::symlink_metadata(at("second")).unwrap().is_symlink());
            }
            symlink("circle", at("circle")).unwrap();
            assert!(write(&at("circle"), "").is_err());
        }

        #[test]
        fn devices_are_written_to_directly() {
            write(Path::new("/dev/null"), "anything").unwrap();
            check_writable(Path::new("/dev/null")).unwrap();
            assert!(!fs::metadata("/dev/null").unwrap().is_file());
            if Path::new("/dev/full").exists() {
                assert!(write(Path::new("/dev/full"), "anything").is_err());
            }
        }
    }
}
