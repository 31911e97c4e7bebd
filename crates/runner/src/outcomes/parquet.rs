//! Outcomes in Parquet files: one column of doubles per feature, under its name.

use std::{fs::File, path::Path, sync::Arc};

use anyhow::Context;
use nalgebra::DMatrix;
use parquet::{
    data_type::DoubleType,
    file::{
        properties::WriterProperties,
        reader::{FileReader, SerializedFileReader},
        writer::SerializedFileWriter,
    },
    record::Field,
    schema::types::Type,
};

use crate::outcomes::table::OutcomeTable;

/// Rows per row group.
const GROUP_LEN: usize = 1 << 16;

pub(super) fn read(path: &Path) -> anyhow::Result<OutcomeTable> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<String> = schema.get_fields().iter().map(|f| f.name().to_owned()).collect();
    let mut data = Vec::new();
    for (n, row) in reader.get_row_iter(None)?.enumerate() {
        for (name, field) in row?.get_column_iter() {
            data.push(match field {
                Field::Double(v) => *v,
                Field::Float(v) => f64::from(*v),
                Field::Long(v) => *v as f64,
                Field::Int(v) => f64::from(*v),
                Field::Null => anyhow::bail!("row {n}: `{name}` is missing"),
                other => anyhow::bail!("row {n}: `{name}` is `{other}`, not a number"),
            });
        }
    }
    let d = names.len();
    Ok(OutcomeTable { x: DMatrix::from_vec(d, data.len() / d.max(1), data), names })
}

pub(super) fn write(file: &mut File, names: &[String], x: &DMatrix<f64>) -> anyhow::Result<()> {
    let column = |name: &String| {
        Type::primitive_type_builder(name, parquet::basic::Type::DOUBLE)
            .with_repetition(parquet::basic::Repetition::REQUIRED)
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
