//! Whether two paths are one file.

use std::{
    fs,
    path::{Path, PathBuf, absolute},
};

use crate::target::{Target, folder_of};

/// Whether bytes written to `a` would change `b`: they are one regular file, also through symbolic or
/// hard links, or will be one. A device or a pipe is never the same as another file.
pub fn same_file(a: &Path, b: &Path) -> bool {
    let (Ok(Target::File(a)), Ok(Target::File(b))) = (Target::of(a), Target::of(b)) else {
        return false;
    };
    resolved(&a) == resolved(&b) || is_one_inode(&a, &b)
}

/// The absolute path without links. What does not exist yet is kept as it is.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(found) = fs::canonicalize(path) {
        return found;
    }
    let folder = folder_of(path);
    match (path.file_name(), path.parent()) {
        (Some(name), Some(_)) if folder != path => resolved(folder).join(name),
        _ => absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

#[cfg(unix)]
pub(crate) fn is_one_inode(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    id(a).is_some() && id(a) == id(b)
}

#[cfg(not(unix))]
pub(crate) fn is_one_inode(_: &Path, _: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_under_several_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "").unwrap();
        fs::write(at("b"), "").unwrap();
        assert!(same_file(&at("a"), &at("./a")) && !same_file(&at("a"), &at("b")));
        assert!(same_file(&at("new/x/y"), &at("./new/x/y")), "not there yet");
        assert!(!same_file(&at("new/x"), &at("new/y")));
        assert!(same_file(
            Path::new("there-is-no-such-file"),
            Path::new("./there-is-no-such-file")
        ));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("a", at("soft")).unwrap();
            std::os::unix::fs::symlink("new", at("dangling")).unwrap();
            fs::hard_link(at("a"), at("hard")).unwrap();
            assert!(same_file(&at("a"), &at("soft")) && same_file(&at("soft"), &at("hard")));
            assert!(same_file(&at("new"), &at("dangling")));
            assert!(!same_file(Path::new("/dev/null"), Path::new("/dev/null")));
        }
    }
}
