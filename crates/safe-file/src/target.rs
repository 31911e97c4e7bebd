//! Where the bytes for a path go: links are followed, devices and pipes are recognised.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Links in a row before a path counts as a circle, as on Linux.
const LINKS: usize = 40;

/// Where the bytes for a path go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A regular file, or no file yet, at this path. No link is left at its end.
    File(PathBuf),
    /// A device, a pipe, or a file that is open already (`/dev/stdout`): written to directly.
    Stream(PathBuf),
}

impl Target {
    /// Follows the links of `path`.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let ends = path.as_os_str().as_encoded_bytes().last().copied().map(char::from);
        if path.file_name().is_none() || ends.is_some_and(std::path::is_separator) {
            return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
            }
            Ok(found) if !found.is_file() => return Ok(Self::Stream(path.to_owned())),
            _ => {}
        }
        let mut end = path.to_owned();
        for _ in 0..LINKS {
            match fs::symlink_metadata(&end) {
                Ok(found) if found.is_symlink() => {
                    // `/dev/stdout` leads to `/proc/self/fd/1` and from there to the file that the
                    // shell has opened, which must not be replaced by another.
                    if (end.starts_with("/dev") && !end.starts_with("/dev/shm"))
                        || end.starts_with("/proc")
                    {
                        return Ok(Self::Stream(path.to_owned()));
                    }
                    let link = fs::read_link(&end)?;
                    end = folder_of(&end).join(link);
                }
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => return Ok(Self::File(end)),
            }
        }
        Err(io::Error::other("its symbolic links form a circle"))
    }
}

/// The folder that contains `path`.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes `folder` with those above it. Returns the new folders, innermost first.
pub(crate) fn make_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let absent = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new = folder.ancestors().take_while(absent).map(Path::to_owned).collect();
    fs::create_dir_all(folder)?;
    Ok(new)
}

/// The beginning of the names of the files that this crate puts next to `path`.
pub(crate) fn stem(path: &Path) -> String {
    // Short enough that the whole name has at most 255 bytes.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".{}", name.chars().take(50).collect::<String>())
}
