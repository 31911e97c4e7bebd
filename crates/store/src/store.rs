//! The store itself: one writer that looks up and appends.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use safe_file::Claim;

use crate::{
    append::Appender,
    error::StoreError,
    evaluation::Evaluation,
    frame::Parsed,
    header,
    identity::Identity,
    index::{Index, Key},
    place::{evaluations, io_error},
    reader::unknown,
    record::Layout,
    scan::{Scanner, Step},
    syncer::Syncer,
};

/// What the opening of a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// Evaluations in the store.
    pub evaluations: u64,
    /// Bytes of a torn evaluation at the end, which were cut off. A process that is killed while it writes
    /// leaves one.
    pub cut: u64,
    /// Stretches of the file, in bytes, that are damaged. They stay where they are and are skipped; only
    /// the evaluations in them are lost.
    pub damage: Vec<Range<u64>>,
}

/// An append-only store of the evaluations of one model, opened for writing.
///
/// One process writes; any number may read with [`Reader`](crate::Reader). Threads may share a store.
///
/// # What survives
/// An evaluation is in the hands of the operating system when [`append`](Self::append) returns, so a killed
/// process loses none. The file is synced to the disk in the background, at once, but
/// at most once a second, and when the store is closed: losing power loses the evaluations of the last
/// second.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    file: PathBuf,
    layout: Layout,
    identity: Identity,
    opened: Opened,
    inner: Mutex<Inner>,
    syncer: Syncer,
    /// Released last.
    _claim: Claim,
}

#[derive(Debug)]
struct Inner {
    appender: Appender<File>,
    reading: File,
    index: Index,
    count: u64,
    buffer: Vec<u8>,
}

impl Store {
    /// Opens the store in `folder` for the model of `identity`, or makes it. By custom the folder is called
    /// `NAME.store` and stands beside the result `NAME`.
    ///
    /// # Errors
    /// - [`StoreError::Busy`]: another process writes it
    /// - [`StoreError::OtherModel`]: it belongs to another model
    /// - [`StoreError::NotAStore`], [`StoreError::Version`]: it cannot be read
    /// - [`StoreError::Full`], [`StoreError::Io`]: the operating system refuses
    pub fn open(folder: impl AsRef<Path>, identity: &Identity) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        let path = evaluations(folder);
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::ResourceBusy => StoreError::Busy { folder: folder.to_owned(), source },
            _ => write_error(&path, 0, 0, source),
        };
        let claim = Claim::new(&path).map_err(refused)?;
        if !path.exists() {
            let header = header::bytes(identity);
            safe_file::write(&path, header).map_err(|e| write_error(&path, 0, 0, e))?;
        }
        let failed = io_error(&path);
        let reading = File::open(&path).map_err(&failed)?;
        let (found, begin) = header::read(&reading, &path)?;
        if let Some(differences) = found.differences(identity) {
            return Err(StoreError::OtherModel { folder: folder.to_owned(), differences });
        }
        let layout = Layout { m: found.inputs.len(), d: found.outputs.len() };
        let (index, opened, end) =
            index(File::open(&path).map_err(&failed)?, &path, layout, begin)?;
        let writing = OpenOptions::new().write(true).open(&path).map_err(&failed)?;
        let syncer = Syncer::new(writing.try_clone().map_err(&failed)?).map_err(&failed)?;
        let appender = Appender::new(writing, end).map_err(&failed)?;
        let inner =
            Inner { appender, reading, index, count: opened.evaluations, buffer: Vec::new() };
        Ok(Self {
            folder: folder.to_owned(),
            file: path,
            layout,
            identity: found,
            opened,
            inner: Mutex::new(inner),
            syncer,
            _claim: claim,
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The model whose evaluations these are.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the opening found.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Number of evaluations, those of the same inputs and seed included.
    pub fn len(&self) -> u64 {
        self.inner().count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of different pairs of inputs and seed.
    pub fn distinct(&self) -> usize {
        self.inner().index.len()
    }

    /// The evaluation of exactly these inputs and this seed, bit by bit; the last one if there are several.
    ///
    /// # Shapes
    /// - `inputs`: `[m]`
    ///
    /// # Errors
    /// [`StoreError::Io`] when the file cannot be read.
    pub fn get(&self, inputs: &[f64], seed: u64) -> Result<Option<Evaluation>, StoreError> {
        let mut inner = self.inner();
        let Some(offset) = inner.index.get(Key::new(inputs, seed)) else { return Ok(None) };
        let found = inner.read(self.layout, offset).map_err(io_error(&self.file))?;
        // A frame that was damaged since the opening counts as absent.
        let same = |e: &Evaluation| {
            let bits = e.inputs.iter().zip(inputs).all(|(a, b)| a.to_bits() == b.to_bits());
            e.seed == seed && e.inputs.len() == inputs.len() && bits
        };
        Ok(found.filter(same))
    }

    /// Appends one evaluation.
    ///
    /// # Errors
    /// As [`append_all`](Self::append_all).
    pub fn append(&self, evaluation: &Evaluation) -> Result<(), StoreError> {
        self.append_all(std::slice::from_ref(evaluation))
    }

    /// Appends evaluations, with one call of the operating system.
    ///
    /// # Errors
    /// - [`StoreError::Count`]: an evaluation has a wrong number of inputs or outputs; none is appended
    /// - [`StoreError::Full`]: only the first ones had space; they are stored, and the file has no torn end
    /// - [`StoreError::Io`]: the operating system refuses, now or in an earlier sync in the background
    pub fn append_all(&self, evaluations: &[Evaluation]) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let inner = &mut *inner;
        inner.buffer.clear();
        let mut ends = Vec::with_capacity(evaluations.len());
        for evaluation in evaluations {
            self.layout.write(&mut inner.buffer, evaluation)?;
            ends.push(inner.buffer.len());
        }
        let begin = inner.appender.length();
        let (stored, result) = inner.appender.append(&inner.buffer, &ends);
        let mut offset = begin;
        for (evaluation, end) in evaluations.iter().zip(&ends).take(stored) {
            inner.index.insert(Key::new(&evaluation.inputs, evaluation.seed), offset);
            offset = begin + *end as u64;
        }
        inner.count += stored as u64;
        if stored > 0 {
            self.syncer.written().map_err(io_error(&self.file))?;
        }
        result.map_err(|source| write_error(&self.file, stored, evaluations.len(), source))
    }

    /// Waits until everything that was appended is on the disk.
    ///
    /// # Errors
    /// [`StoreError::Io`] when this, or an earlier sync in the background, failed.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.syncer.sync().map_err(io_error(&self.file))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Reads the evaluation whose frame begins at `offset`; `None` if there is none.
    fn read(&mut self, layout: Layout, offset: u64) -> io::Result<Option<Evaluation>> {
        self.reading.seek(SeekFrom::Start(offset))?;
        self.buffer.clear();
        // All of an evaluation with an outcome; a message may need a second reading.
        let mut wanted = layout.shortest();
        loop {
            let missing = wanted - self.buffer.len();
            let read = (&mut self.reading).take(missing as u64).read_to_end(&mut self.buffer)?;
            match layout.parse(&self.buffer) {
                Parsed::Frame(payload) => return Ok(layout.read(payload)),
                Parsed::Needs(bytes) if read == missing => wanted = bytes,
                Parsed::Needs(_) | Parsed::Damaged => return Ok(None),
            }
        }
    }
}

/// Reads all evaluations from `begin`. Returns where each is, what was found, and where the whole
/// evaluations end.
fn index(
    file: File,
    path: &Path,
    layout: Layout,
    begin: u64,
) -> Result<(Index, Opened, u64), StoreError> {
    let failed = io_error(path);
    let mut scanner = Scanner::new(file, layout, begin).map_err(&failed)?;
    let (mut index, mut opened) = (Index::default(), Opened::default());
    loop {
        match scanner.step().map_err(&failed)? {
            Step::Evaluation { offset, evaluation } => {
                index.insert(Key::new(&evaluation.inputs, evaluation.seed), offset);
                opened.evaluations += 1;
            }
            Step::Damage(range) => opened.damage.push(range),
            Step::Unknown { offset } => return Err(unknown(path, offset)),
            Step::End(rest) => {
                opened.cut = rest.end - rest.start;
                return Ok((index, opened, rest.start));
            }
        }
    }
}

fn write_error(file: &Path, stored: usize, given: usize, source: io::Error) -> StoreError {
    let file = file.to_owned();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::Full { file, stored, given, source }
        }
        _ => StoreError::Io { file, source },
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Who wants to know whether it succeeds calls `sync` before.
        let _ = self.syncer.sync();
    }
}
