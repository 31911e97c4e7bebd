//! Where the file of a store is, and errors that name it.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::error::StoreError;

/// The file of the store in `folder`.
pub(crate) fn evaluations(folder: &Path) -> PathBuf {
    folder.join("evaluations.bin")
}

/// Makes an error of the operating system one of the store.
pub(crate) fn io_error(file: &Path) -> impl Fn(io::Error) -> StoreError + use<> {
    let file = file.to_owned();
    move |source| StoreError::Io { file: file.clone(), source }
}
