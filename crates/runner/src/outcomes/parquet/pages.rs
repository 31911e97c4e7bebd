//! The sizes in a Parquet file, checked before the crate `parquet` reads the pages.
//!
//! The sizes in the footer and in the headers of the pages say how much memory a reader asks for and
//! how long it reads. Here they are compared with each other and with the bytes that are there.

use ::parquet::{
    basic::{Compression, Type},
    file::metadata::{ColumnChunkMetaData, ParquetMetaData},
};
use anyhow::Context;

use crate::outcomes::{
    limit,
    parquet::thrift::{Integers, Thrift},
};

/// Encodings of pages that refer to a dictionary.
const DICTIONARY_ENCODINGS: [i64; 2] = [2, 8];

/// Checks that the footer can be walked over.
pub(super) fn check_footer(bytes: &[u8]) -> anyhow::Result<()> {
    let cut = "it is truncated or not a Parquet file";
    let rest = bytes.strip_suffix(b"PAR1").context(cut)?;
    let (rest, len) = rest.split_last_chunk::<4>().context(cut)?;
    let begin = rest.len().checked_sub(u32::from_le_bytes(*len) as usize).context(cut)?;
    Thrift::new(&rest[begin..]).structure().context("the footer is damaged")?;
    Ok(())
}

/// Checks all pages of the columns at `columns` and returns the number of rows.
pub(super) fn check(
    bytes: &[u8],
    metadata: &ParquetMetaData,
    columns: &[usize],
) -> anyhow::Result<usize> {
    let mut rows = 0_u64;
    let mut unpacked = 0_u64;
    for group in metadata.row_groups() {
        let group_rows =
            u64::try_from(group.num_rows()).context("a row group has negative length")?;
        rows = rows.saturating_add(group_rows);
        for &i in columns {
            let column = group.columns().get(i).context("a row group lacks a column")?;
            let size = check_column(bytes, column, group_rows)
                .with_context(|| format!("column `{}` is damaged", column.column_descr().name()))?;
            unpacked = unpacked.saturating_add(size);
        }
    }
    limit::check(bytes.len(), rows, columns.len(), unpacked)?;
    Ok(usize::try_from(rows)?)
}

/// Checks the pages of one column of a row group and returns their size after decompression.
fn check_column(bytes: &[u8], column: &ColumnChunkMetaData, rows: u64) -> anyhow::Result<u64> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let chunk = usize::try_from(start)
        .ok()
        .zip(usize::try_from(column.compressed_size()).ok())
        .and_then(|(start, len)| bytes.get(start..start.checked_add(len)?))
        .context("its pages are not in the file")?;
    let mut pages = Pages { column, values: 0, unpacked: 0, dictionary: false, first: true };
    let mut at = 0;
    while at < chunk.len() {
        let mut thrift = Thrift::new(&chunk[at..]);
        let header = thrift.structure()?;
        at += thrift.at;
        at += pages.page(&header, chunk.len() - at)?;
    }
    anyhow::ensure!(
        pages.values == rows && u64::try_from(column.num_values()).ok() == Some(rows),
        "its pages have {} values, the row group has {rows} rows",
        pages.values
    );
    Ok(pages.unpacked)
}

/// The pages of a column up to some place.
struct Pages<'a> {
    column: &'a ColumnChunkMetaData,
    /// Values in the data pages.
    values: u64,
    /// Bytes of all pages after decompression.
    unpacked: u64,
    /// Whether there was a dictionary.
    dictionary: bool,
    /// Whether the next page is the first one.
    first: bool,
}

impl Pages<'_> {
    /// Checks one page, of which `left` bytes can be there, and returns its size in the file.
    fn page(&mut self, header: &Integers, left: usize) -> anyhow::Result<usize> {
        let field = |outer, inner| header.get(&(outer, inner)).copied();
        let size = |field: Option<i64>| field.and_then(|v| u64::try_from(v).ok());
        let unpacked = size(field(2, 0)).context("a page has no size")?;
        let packed = size(field(3, 0)).context("a page has no size")?;
        anyhow::ensure!(packed <= left as u64, "a page is longer than the column");
        let uncompressed = self.column.compression() == Compression::UNCOMPRESSED;
        anyhow::ensure!(!uncompressed || packed == unpacked, "a page has two sizes");
        self.unpacked = self.unpacked.saturating_add(unpacked);
        let (kind, values, encoding) = match field(1, 0) {
            // Data pages, versions 1 and 2, dictionaries and pages of an index.
            Some(0) => ("data", field(5, 1), field(5, 2)),
            Some(3) => ("data", field(8, 1), field(8, 4)),
            Some(2) => ("dictionary", field(7, 1), field(7, 2)),
            Some(1) => ("index", Some(0), None),
            _ => anyhow::bail!("a page has an unknown type"),
        };
        let values = size(values).context("a page has no number of values")?;
        let encoding = encoding.unwrap_or_default();
        if kind == "dictionary" {
            anyhow::ensure!(self.first, "its dictionary is not its first page");
            let width = self.least_width();
            anyhow::ensure!(
                values.saturating_mul(width) <= unpacked,
                "its dictionary is too short for {values} values"
            );
            self.dictionary = true;
        } else if kind == "data" {
            self.values = self.values.saturating_add(values);
            anyhow::ensure!(
                self.dictionary || !DICTIONARY_ENCODINGS.contains(&encoding),
                "a page refers to a dictionary that is not there"
            );
            // Without missing values, the size of a plain page is known.
            let plain = encoding == 0 && self.column.column_descr().max_def_level() == 0;
            anyhow::ensure!(
                !plain || self.bits(values) <= unpacked.saturating_mul(8),
                "a page is too short for {values} values"
            );
        }
        self.first = false;
        Ok(packed as usize)
    }

    /// Smallest number of bytes of a value in a dictionary.
    fn least_width(&self) -> u64 {
        match self.column.column_type() {
            Type::BOOLEAN => 0,
            Type::INT32 | Type::FLOAT | Type::BYTE_ARRAY => 4,
            Type::INT64 | Type::DOUBLE => 8,
            Type::INT96 => 12,
            Type::FIXED_LEN_BYTE_ARRAY => {
                u64::try_from(self.column.column_descr().type_length()).unwrap_or(0).max(1)
            }
        }
    }

    fn bits(&self, values: u64) -> u64 {
        match self.column.column_type() {
            Type::BOOLEAN => values,
            _ => values.saturating_mul(8 * self.least_width()),
        }
    }
}
