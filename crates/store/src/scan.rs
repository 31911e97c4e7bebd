//! Walking over the frames of a file, also a damaged one, also one that is being written.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

use crate::{
    evaluation::Evaluation,
    frame::{self, Parsed},
    record::Layout,
};

/// Bytes per reading.
const CHUNK: usize = 1 << 16;

/// One step over a file.
#[derive(Debug)]
pub(crate) enum Step {
    /// An evaluation, in the frame that begins at `offset`.
    Evaluation { offset: u64, evaluation: Evaluation },
    /// A sound frame whose status this crate does not know.
    Unknown { offset: u64 },
    /// Bytes that are no frames, with a sound frame behind them.
    Damage(Range<u64>),
    /// The end for now. The bytes of this range are no whole frame.
    End(Range<u64>),
}

/// Walks over the frames of a file.
#[derive(Debug)]
pub(crate) struct Scanner {
    file: File,
    layout: Layout,
    /// Where in the file `buffer[at]` is.
    offset: u64,
    buffer: Vec<u8>,
    at: usize,
}

impl Scanner {
    /// Begins at `offset`.
    pub(crate) fn new(mut file: File, layout: Layout, offset: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { file, layout, offset, buffer: Vec::new(), at: 0 })
    }

    /// Goes one step. After [`Step::End`] the next call looks again at the same place.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let begin = self.offset;
        let mut sure = false;
        loop {
            let needs = match self.layout.parse(&self.buffer[self.at..]) {
                Parsed::Frame(_) if self.offset != begin && sure => {
                    return Ok(Step::Damage(begin..self.offset));
                }
                // What looked damaged may have been in the middle of its writing.
                Parsed::Frame(_) if self.offset != begin => {
                    sure = true;
                    self.back_to(begin)?;
                    continue;
                }
                Parsed::Frame(payload) => {
                    let evaluation = self.layout.read(payload);
                    let length = frame::HEAD + payload.len();
                    self.skip(length);
                    return Ok(match evaluation {
                        Some(evaluation) => Step::Evaluation { offset: begin, evaluation },
                        None => Step::Unknown { offset: begin },
                    });
                }
                Parsed::Needs(bytes) => bytes,
                Parsed::Damaged => {
                    self.skip(1);
                    continue;
                }
            };
            if self.fill(needs)? {
                continue;
            }
            if self.buffer.len() > 1 {
                // The file ends, but a shorter frame may begin inside what is left.
                self.skip(1);
                continue;
            }
            let end = self.offset + self.buffer.len() as u64;
            self.back_to(begin)?;
            return Ok(Step::End(begin..end));
        }
    }

    /// Forgets what was read from `offset` on.
    fn back_to(&mut self, offset: u64) -> io::Result<()> {
        self.buffer.clear();
        self.at = 0;
        self.offset = offset;
        self.file.seek(SeekFrom::Start(offset)).map(drop)
    }

    fn skip(&mut self, bytes: usize) {
        self.at += bytes;
        self.offset += bytes as u64;
    }

    /// Reads until `bytes` bytes are there; `false` if the file ends before.
    fn fill(&mut self, bytes: usize) -> io::Result<bool> {
        self.buffer.drain(..self.at);
        self.at = 0;
        while self.buffer.len() < bytes {
            let have = self.buffer.len();
            self.buffer.resize(have + CHUNK, 0);
            let read = self.file.read(&mut self.buffer[have..]);
            self.buffer.truncate(have + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
