//! Why a store cannot be opened, read or written.

use std::{io, path::PathBuf};

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another driver writes the store.
    #[error("{}: {source}", folder.display())]
    Busy {
        /// The folder of the store.
        folder: PathBuf,
        /// Names the process that owns the store.
        source: io::Error,
    },
    /// The store holds evaluations of another model.
    #[error("{} holds evaluations of another model; {differences}. Name another folder for this model, or remove this one", folder.display())]
    OtherModel {
        /// The folder of the store.
        folder: PathBuf,
        /// What differs, in words.
        differences: String,
    },
    /// The file is not a store, or its header is damaged.
    #[error("{} is not a store of evaluations: {reason}", file.display())]
    NotAStore {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A later version of this crate wrote the store.
    #[error("{} has format version {found}, this program reads version {known}: use a newer program", file.display())]
    Version {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// The version of this crate.
        known: u32,
    },
    /// No space is left. What was stored before is complete, and the store can go on once there is space.
    #[error("{}: the disk is full; {stored} of {given} evaluations were stored. Make room and start again: nothing that was stored is lost", file.display())]
    Full {
        /// The file.
        file: PathBuf,
        /// Evaluations of this call that are stored.
        stored: usize,
        /// Evaluations of this call.
        given: usize,
        /// What the operating system said.
        source: io::Error,
    },
    /// An evaluation has another number of inputs or outputs than the model.
    #[error("the model has {expected} {what}, the evaluation has {actual}")]
    Count {
        /// `inputs` or `outputs`.
        what: &'static str,
        /// Their number in the model.
        expected: usize,
        /// Their number in the evaluation.
        actual: usize,
    },
    /// The operating system could not read or write the file.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}
