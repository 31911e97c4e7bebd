//! What the fuzz targets share.

use std::path::Path;

use latent_is_runner::outcomes::{options::ReadOptions, read};

/// Lets `read` read `bytes` as a file of this name.
pub fn with_file(name: &str, bytes: &[u8], read: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a temporary file can be written");
    read(&path);
}

/// Reads `bytes` as a file of outcomes; the extension of `name` selects the format.
pub fn outcomes(name: &str, bytes: &[u8]) {
    let missing = vec![String::new(), "NaN".to_owned()];
    with_file(name, bytes, |path| {
        for options in [ReadOptions::default(), ReadOptions { missing, ..ReadOptions::default() }] {
            if let Ok(table) = read(path, &options) {
                assert!(table.x.iter().all(|v| v.is_finite()), "a number is not finite");
            }
        }
    });
}
