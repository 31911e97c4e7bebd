//! Outcomes in Parquet files: one column of numbers per feature, under its name.
//!
//! Columns of all number types are read, and pages in all usual compressions. All sizes in a file are
//! checked (`pages`) before the crate `parquet` reads it.

mod column;
mod pages;
mod thrift;

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use ::parquet::{
    basic::{Repetition, Type as PhysicalType},
    data_type::DoubleType,
    file::{
        properties::WriterProperties,
        reader::{FileReader, SerializedFileReader},
        writer::SerializedFileWriter,
    },
    schema::types::Type,
};
use anyhow::Context;
use nalgebra::DMatrix;

use crate::outcomes::{
    columns::ColumnTable, options::ReadOptions, parquet::column::ColumnKind, table::OutcomeTable,
    text::shown,
};

/// Rows per row group.
const GROUP_LEN: usize = 1 << 16;

pub(super) fn read(path: &Path, options: &ReadOptions) -> anyhow::Result<OutcomeTable> {
    let bytes = std::fs::read(path)?;
    anyhow::ensure!(!bytes.is_empty(), "it is empty");
    pages::check_footer(&bytes)?;
    // The checks find what is known to stop the reader. Should it panic nevertheless, this is an error.
    catch_unwind(AssertUnwindSafe(|| read_checked(File::open(path)?, &bytes, options)))
        .unwrap_or_else(|_| anyhow::bail!("it is damaged: the reader of Parquet files stopped"))
}

fn read_checked(file: File, bytes: &[u8], options: &ReadOptions) -> anyhow::Result<OutcomeTable> {
    let reader = SerializedFileReader::new(file)?;
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<String> = schema.get_fields().iter().map(|f| f.name().to_owned()).collect();
    let columns = options.choose(&names)?;
    // A nested field has several columns; the columns of the fields are found by the first part of
    // their path.
    let all = reader.metadata().file_metadata().schema_descr();
    let mut leaves = Vec::new();
    for &field in &columns.positions {
        let of_field = |leaf: &usize| all.get_column_root_idx(*leaf) == field;
        let leaf = (0..all.num_columns()).find(of_field).context("a field has no column")?;
        ColumnKind::of(&all.column(leaf))?;
        leaves.push(leaf);
    }
    let n = pages::check(bytes, reader.metadata(), &leaves)?;
    let mut table = ColumnTable::new(columns.names.clone(), true, n, options)?;
    let mut first = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        let rows = usize::try_from(group.metadata().num_rows())?;
        for (k, &leaf) in leaves.iter().enumerate() {
            let mut row = first;
            let mut each = |value| {
                anyhow::ensure!(
                    row < first + rows,
                    "`{}` has too many rows",
                    shown(&columns.names[k])
                );
                row += 1;
                table.put(row - 1, k, value)
            };
            column::read(&all.column(leaf), group.get_column_page_reader(leaf)?, &mut each)?;
            anyhow::ensure!(row == first + rows, "`{}` has too few rows", shown(&columns.names[k]));
        }
        first += rows;
    }
    table.admit()
}

pub(super) fn write(file: &mut File, names: &[String], x: &DMatrix<f64>) -> anyhow::Result<()> {
    let column = |name: &String| {
        Type::primitive_type_builder(name, PhysicalType::DOUBLE)
            .with_repetition(Repetition::REQUIRED)
            .build()
            .map(Arc::new)
    };
    let columns = names.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("outcomes").with_fields(columns).build()?;
    let properties = Arc::new(WriterProperties::builder().build());
    let mut parquet = SerializedFileWriter::new(file, Arc::new(schema), properties)?;
    for first in (0..x.ncols()).step_by(GROUP_LEN) {
        let rows = x.columns(first, GROUP_LEN.min(x.ncols() - first));
        let mut group = parquet.next_row_group()?;
        for row in rows.row_iter() {
            let values: Vec<f64> = row.iter().copied().collect();
            let mut column = group.next_column()?.context("the schema has too few columns")?;
            column.typed::<DoubleType>().write_batch(&values, None, None)?;
            column.close()?;
        }
        group.close()?;
    }
    parquet.close()?;
    Ok(())
}
