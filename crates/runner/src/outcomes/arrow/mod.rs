//! Outcomes in Arrow files (Feather version 2): one column of numbers per feature, under its name.
//!
//! A file has batches of rows and a footer with the schema and the places of the batches. Places and
//! sizes are checked (`file`, `batch`) before memory is asked for; the tables of the metadata are those
//! of the crate `arrow-ipc`, read after its verifier has walked over them. Columns of all number types
//! are read, plain, by dictionary, and compressed by LZ4 or ZSTD.
//!
//! # References
//! - Apache Arrow, *Arrow Columnar Format*, section "Serialization and Interprocess Communication".

mod batch;
mod dictionary;
mod field;
mod file;

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    sync::Arc,
};

use anyhow::Context;
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use nalgebra::DMatrix;

use crate::outcomes::{
    arrow::{
        batch::{Batch, Column},
        dictionary::Dictionaries,
        field::{NumberField, places},
        file::ArrowFile,
    },
    columns::ColumnTable,
    limit,
    number::Value,
    options::ReadOptions,
    table::OutcomeTable,
    text::shown,
};

/// Rows per batch.
const BATCH_LEN: usize = 1 << 16;

pub(super) fn read(path: &Path, options: &ReadOptions) -> anyhow::Result<OutcomeTable> {
    let bytes = std::fs::read(path)?;
    let file = ArrowFile::new(&bytes)?;
    let footer = file.footer()?;
    let schema = footer.schema().context("the footer has no schema")?;
    let fields: Vec<arrow_ipc::Field<'_>> = schema.fields().iter().flatten().collect();
    let names: Vec<String> = fields.iter().map(|f| f.name().unwrap_or("").to_owned()).collect();
    let columns = options.choose(&names)?;
    let big_endian = schema.endianness() == arrow_ipc::Endianness::Big;
    let kinds = columns.positions.iter().map(|&i| NumberField::of(&fields[i], big_endian));
    let kinds = kinds.collect::<anyhow::Result<Vec<_>>>()?;
    let damaged = |k: usize| format!("column `{}` is damaged", shown(&columns.names[k]));

    let (dictionaries, batches) = file.messages(&footer)?;
    // Calls `each` with the columns of all batches, still packed.
    let walk = |each: &mut dyn FnMut(usize, u64, Column<'_>) -> anyhow::Result<()>| {
        for message in &batches {
            let table = message.table()?;
            let record = table.header_as_record_batch().context("a batch of rows is none")?;
            let batch = Batch::new(&record, message.body)?;
            let places = places(&fields, &record, table.version())?;
            for (k, (kind, &position)) in kinds.iter().zip(&columns.positions).enumerate() {
                let column = batch
                    .column(places[position], kind.stored())
                    .and_then(|column| each(k, batch.rows, column));
                column.with_context(|| damaged(k))?;
            }
        }
        Ok::<(), anyhow::Error>(())
    };
    let dictionaries = Dictionaries::of(&dictionaries, &kinds)?;
    let (mut rows, mut unpacked) = (0_u64, dictionaries.unpacked());
    walk(&mut |k, count, column| {
        rows = rows.saturating_add(if k == 0 { count } else { 0 });
        unpacked = unpacked.saturating_add(column.unpacked());
        Ok(())
    })?;
    limit::check(bytes.len(), rows, kinds.len(), unpacked)?;
    let dictionaries = dictionaries.unpack()?;
    let mut table = ColumnTable::new(columns.names.clone(), true, usize::try_from(rows)?, options)?;
    let mut filled = vec![0; kinds.len()];
    walk(&mut |k, count, column| {
        let column = column.unpack()?;
        for row in 0..count as usize {
            let value = match (column.value(row), kinds[k].dictionary()) {
                (Value::Integer(index), Some(id)) => dictionaries.value(id, index)?,
                (value, _) => value,
            };
            table.put(filled[k] + row, k, value)?;
        }
        filled[k] += count as usize;
        Ok(())
    })?;
    table.admit()
}

pub(super) fn write(file: &mut File, names: &[String], x: &DMatrix<f64>) -> anyhow::Result<()> {
    let column = |name: &String| Field::new(name, DataType::Float64, false);
    let schema = Arc::new(Schema::new(names.iter().map(column).collect::<Vec<_>>()));
    let mut writer = FileWriter::try_new(BufWriter::new(file), &schema)?;
    for first in (0..x.ncols()).step_by(BATCH_LEN) {
        let rows = x.columns(first, BATCH_LEN.min(x.ncols() - first));
        let values = rows
            .row_iter()
            .map(|row| Arc::new(Float64Array::from_iter_values(row.iter().copied())) as ArrayRef);
        writer.write(&RecordBatch::try_new(schema.clone(), values.collect())?)?;
    }
    writer.finish()?;
    Ok(writer.into_inner()?.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(name: &str) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
    }

    fn refused(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.arrow");
        std::fs::write(&path, bytes).unwrap();
        format!("{:#}", read(&path, &ReadOptions::default()).unwrap_err())
    }

    /// The bytes with `new` in the place of `old`, which is there once.
    fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
        let places: Vec<usize> =
            (0..=bytes.len() - old.len()).filter(|i| bytes[*i..].starts_with(old)).collect();
        assert_eq!(places.len(), 1, "{places:?}");
        [&bytes[..places[0]], new, &bytes[places[0] + old.len()..]].concat()
    }

    #[test]
    fn batches_that_share_bytes_or_lie_outside_are_refused() {
        let good = shipped("waves_uncompressed.arrow");
        let file = ArrowFile::new(&good).unwrap();
        let footer = file.footer().unwrap();
        let blocks: Vec<[u8; 24]> =
            footer.recordBatches().unwrap().iter().map(|block| block.0).collect();
        assert_eq!(blocks.len(), 3);
        let twice = replaced(&good, &blocks[1], &blocks[0]);
        assert!(refused(&twice).contains("two of its batches share bytes"), "{}", refused(&twice));
        for (offset, metadata, body) in
            [(-8, 8, 8), (0, 200, 8), (i64::MAX, 8, 8), (8, -1, 8), (8, 8, i64::MAX), (8, 8, -8)]
        {
            let block = arrow_ipc::Block::new(offset, metadata, body);
            let error = refused(&replaced(&good, &blocks[1], &block.0));
            assert!(error.contains("a batch is not in the file"), "{error}");
        }
    }

    #[test]
    fn lengths_that_the_bytes_cannot_have_are_refused() {
        // The length of a column of 16 rows, once for each column and batch, and that of the batch.
        let good = shipped("waves_zstd.arrow");
        let node = |rows: i64| [rows.to_le_bytes(), 0_i64.to_le_bytes()].concat();
        let place = (0..good.len() - 16).find(|i| good[*i..].starts_with(&node(16))).unwrap();
        let mut long = good.clone();
        long[place..place + 8].copy_from_slice(&(1_i64 << 40).to_le_bytes());
        let error = refused(&long);
        assert!(error.contains("it has 1099511627776 values in a batch of 16 rows"), "{error}");
        // A buffer that says it has 2⁴⁰ bytes: before the magic of ZSTD.
        let magic = [0x28, 0xb5, 0x2f, 0xfd];
        let place = (0..good.len() - 4).find(|i| good[*i..].starts_with(&magic)).unwrap();
        let mut bomb = good.clone();
        bomb[place - 8..place].copy_from_slice(&(1_i64 << 40).to_le_bytes());
        let error = refused(&bomb);
        assert!(error.contains("times the size of the file; it is damaged"), "{error}");
        let mut short = good;
        short[place - 8..place].copy_from_slice(&100_i64.to_le_bytes());
        let error = refused(&short);
        assert!(error.contains("column `a` is damaged: its bytes are too few"), "{error}");
    }
}
