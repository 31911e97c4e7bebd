//! Reading a store, also while another process writes it.

use std::{fs::File, ops::Range, path::Path};

use crate::{
    error::StoreError,
    evaluation::Evaluation,
    header,
    identity::Identity,
    place::{evaluations, io_error},
    record::Layout,
    scan::{Scanner, Step},
};

/// Reads a store from its first evaluation to its last; also while another process writes it.
///
/// The iterator ends where the whole evaluations end. Evaluations that are appended later follow when it is
/// asked again.
#[derive(Debug)]
pub struct Reader {
    identity: Identity,
    file: std::path::PathBuf,
    scanner: Scanner,
    damage: Vec<Range<u64>>,
}

impl Reader {
    /// Opens the store in `folder`.
    ///
    /// # Errors
    /// [`StoreError`] when there is none, or none that can be read.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = evaluations(folder.as_ref());
        let file = File::open(&path).map_err(io_error(&path))?;
        let (identity, begin) = header::read(&file, &path)?;
        let layout = Layout { m: identity.inputs.len(), d: identity.outputs.len() };
        let scanner = Scanner::new(file, layout, begin).map_err(io_error(&path))?;
        Ok(Self { identity, file: path, scanner, damage: Vec::new() })
    }

    /// The model whose evaluations these are.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Stretches of the file, in bytes, that were damaged and skipped so far. Only the evaluations in them
    /// are lost.
    pub fn damage(&self) -> &[Range<u64>] {
        &self.damage
    }

    fn step(&mut self) -> Result<Option<Evaluation>, StoreError> {
        loop {
            match self.scanner.step().map_err(io_error(&self.file))? {
                Step::Evaluation { evaluation, .. } => return Ok(Some(evaluation)),
                Step::Damage(range) => self.damage.push(range),
                Step::Unknown { offset } => return Err(unknown(&self.file, offset)),
                Step::End(_) => return Ok(None),
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Evaluation, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// The error of an evaluation with an unknown status.
pub(crate) fn unknown(file: &Path, offset: u64) -> StoreError {
    StoreError::NotAStore {
        file: file.to_owned(),
        reason: format!(
            "the evaluation at byte {offset} ended in a way that this program does not know; use a newer program"
        ),
    }
}
