//! The columns of a batch: where their bytes are, and their values.

use std::{borrow::Cow, io::Read};

use anyhow::Context;
use arrow_ipc::{CompressionType, RecordBatch};

use crate::outcomes::{
    arrow::field::{Place, Stored},
    number::Value,
};

/// A batch of rows, or of the values of a dictionary.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    /// Number of rows.
    pub(super) rows: u64,
    /// For each column: number of values, number of missing ones.
    nodes: Vec<(i64, i64)>,
    buffers: Vec<Packed<'a>>,
}

/// The bytes of a buffer as they are in the file.
#[derive(Clone, Copy, Debug)]
struct Packed<'a> {
    bytes: &'a [u8],
    codec: Option<CompressionType>,
    /// Number of bytes after decompression.
    unpacked: u64,
}

/// A column of a batch.
#[derive(Debug)]
pub(super) struct Column<'a> {
    stored: Stored,
    rows: u64,
    values: Packed<'a>,
    /// A bit for each row that has a value, if some are missing.
    present: Option<Packed<'a>>,
}

impl<'a> Batch<'a> {
    /// The batch in `body`.
    ///
    /// # Errors
    /// When a buffer is not in the body, or buffers share bytes.
    pub(super) fn new(record: &RecordBatch<'_>, body: &'a [u8]) -> anyhow::Result<Self> {
        let rows = u64::try_from(record.length()).context("a batch has negative length")?;
        let codec = record.compression().map(|compression| compression.codec());
        let mut used = 0_usize;
        let buffers = record.buffers().into_iter().flatten().map(|buffer| {
            let range = || {
                let begin = usize::try_from(buffer.offset()).ok()?;
                let len = usize::try_from(buffer.length()).ok()?;
                body.get(begin..begin.checked_add(len)?)
            };
            let bytes = range().context("a buffer is not in its batch")?;
            used += bytes.len();
            anyhow::ensure!(used <= body.len(), "two buffers of a batch share bytes");
            Packed::new(bytes, codec)
        });
        let buffers = buffers.collect::<anyhow::Result<Vec<_>>>()?;
        let nodes = record.nodes().into_iter().flatten();
        let nodes = nodes.map(|node| (node.length(), node.null_count())).collect();
        Ok(Self { rows, nodes, buffers })
    }

    /// The column at `place`, whose values are stored as `stored`.
    ///
    /// # Errors
    /// When its number of values is not that of the rows, or its buffers are too short.
    pub(super) fn column(&self, place: Place, stored: Stored) -> anyhow::Result<Column<'a>> {
        let (rows, missing) = *self.nodes.get(place.node).context("a batch lacks a column")?;
        anyhow::ensure!(
            u64::try_from(rows).ok() == Some(self.rows),
            "it has {rows} values in a batch of {} rows",
            self.rows
        );
        let buffer = |i: usize| {
            let buffer = self.buffers.get(place.buffer.checked_add(i)?);
            buffer.copied()
        };
        let (present, values) = buffer(0).zip(buffer(1)).context("a batch lacks a column")?;
        let bits = self.rows.div_ceil(8);
        let needed = match stored {
            Stored::Bits => bits,
            Stored::Bytes(number) => self.rows.saturating_mul(number.width as u64),
        };
        anyhow::ensure!(
            values.unpacked >= needed && (missing == 0 || present.unpacked >= bits),
            "its bytes are too few for {} values",
            self.rows
        );
        let present = (missing != 0).then_some(present);
        Ok(Column { stored, rows: self.rows, values, present })
    }
}

impl<'a> Packed<'a> {
    fn new(bytes: &'a [u8], codec: Option<CompressionType>) -> anyhow::Result<Self> {
        let plain = |bytes: &'a [u8]| Self { bytes, codec: None, unpacked: bytes.len() as u64 };
        if codec.is_none() || bytes.is_empty() {
            return Ok(plain(bytes));
        }
        // The number of bytes stands before them; -1 if they are not compressed.
        let (unpacked, bytes) = bytes.split_first_chunk().context("a buffer is too short")?;
        match i64::from_le_bytes(*unpacked) {
            -1 => Ok(plain(bytes)),
            unpacked => {
                let unpacked = u64::try_from(unpacked).context("a buffer has negative length")?;
                Ok(Self { bytes, codec, unpacked })
            }
        }
    }

    /// The bytes after decompression.
    fn unpack(self) -> anyhow::Result<Cow<'a, [u8]>> {
        let size = usize::try_from(self.unpacked)?;
        let unpacked = match self.codec {
            None => return Ok(Cow::Borrowed(self.bytes)),
            Some(CompressionType::LZ4_FRAME) => {
                let mut unpacked = Vec::with_capacity(size);
                lz4_flex::frame::FrameDecoder::new(self.bytes)
                    .take(self.unpacked)
                    .read_to_end(&mut unpacked)?;
                unpacked
            }
            // All at once: the other way asks for as much memory as the bytes say.
            Some(CompressionType::ZSTD) => zstd::bulk::decompress(self.bytes, size)?,
            Some(_) => anyhow::bail!("it is compressed in an unknown way"),
        };
        anyhow::ensure!(unpacked.len() == size, "a buffer has another length than it says");
        Ok(Cow::Owned(unpacked))
    }
}

impl<'a> Column<'a> {
    /// Number of values, the missing ones included.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes that decompression will take.
    pub(super) fn unpacked(&self) -> u64 {
        let buffers = [Some(self.values), self.present].into_iter().flatten();
        let packed = buffers.filter(|buffer| buffer.codec.is_some());
        packed.fold(0, |sum, buffer| sum.saturating_add(buffer.unpacked))
    }

    /// The values.
    ///
    /// # Errors
    /// When they cannot be decompressed to the size that is stated.
    pub(super) fn unpack(&self) -> anyhow::Result<Values<'a>> {
        let present = self.present.map(Packed::unpack).transpose()?;
        Ok(Values { stored: self.stored, bytes: self.values.unpack()?, present })
    }
}

/// The values of a column of a batch.
#[derive(Debug)]
pub(super) struct Values<'a> {
    stored: Stored,
    bytes: Cow<'a, [u8]>,
    present: Option<Cow<'a, [u8]>>,
}

impl Values<'_> {
    /// The value in `row`, which is less than the number of rows.
    pub(super) fn value(&self, row: usize) -> Value {
        let bit = |bits: &[u8]| bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1);
        if self.present.as_ref().is_some_and(|present| !bit(present)) {
            return Value::Missing;
        }
        match self.stored {
            Stored::Bits => Value::Number(f64::from(u8::from(bit(&self.bytes)))),
            Stored::Bytes(number) => {
                let width = number.width;
                let bytes = self.bytes.get(row * width..(row + 1) * width);
                bytes.map_or(Value::Missing, |bytes| number.value(bytes))
            }
        }
    }
}
