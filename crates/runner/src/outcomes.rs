//! Outcomes of a simulator in files: NumPy, CSV or Parquet, one outcome a row, raw units.

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    sync::Arc,
};

use anyhow::Context;
use nalgebra::DMatrix;
use npyz::WriterBuilder;
use parquet::{
    data_type::DoubleType,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};
use sim_core::Feature;

use crate::files::replace;

/// Rows that a Parquet file keeps together.
const GROUP: usize = 1 << 16;

/// How outcomes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.npy`: `[n, d]` of `f64`.
    Npy,
    /// `.csv`: a header of feature names, one line an outcome.
    Csv,
    /// `.parquet`: one column of doubles a feature, under its name.
    Parquet,
}

impl Format {
    /// The format that a file's ending asks for.
    ///
    /// # Errors
    /// When the ending is none of the three.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        match path.extension().and_then(OsStr::to_str) {
            Some("npy") => Ok(Self::Npy),
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            _ => anyhow::bail!(
                "{}: the ending must be .npy, .csv or .parquet, it chooses the format",
                path.display()
            ),
        }
    }
}

/// Writes outcomes `x` under a temporary name and renames the file.
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome a column; `features`: `[d]`
///
/// # Errors
/// When the file cannot be written; `path` is then as it was.
pub fn write(
    path: &Path,
    format: Format,
    features: &[Feature],
    x: &DMatrix<f64>,
) -> anyhow::Result<()> {
    let names: Vec<String> = features.iter().map(|feature| feature.name().to_owned()).collect();
    write_named(path, format, &names, x)
}

/// As [`write()`], with names alone.
///
/// # Errors
/// When the file cannot be written; `path` is then as it was.
pub fn write_named(
    path: &Path,
    format: Format,
    names: &[String],
    x: &DMatrix<f64>,
) -> anyhow::Result<()> {
    replace(path, |file| match format {
        Format::Npy => write_npy(file, x),
        Format::Csv => write_csv(file, names, x),
        Format::Parquet => write_parquet(file, names, x),
    })
    .with_context(|| format!("cannot write {}", path.display()))
}

fn write_npy(file: &mut File, x: &DMatrix<f64>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(file);
    let shape = [x.ncols() as u64, x.nrows() as u64];
    let mut npy =
        npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut out).begin_nd()?;
    npy.extend(x.as_slice().iter().copied())?;
    npy.finish()?;
    Ok(out.flush()?)
}

fn write_csv(file: &mut File, names: &[String], x: &DMatrix<f64>) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(file);
    csv.write_record(names)?;
    for outcome in x.column_iter() {
        csv.write_record(outcome.iter().map(f64::to_string))?;
    }
    Ok(csv.flush()?)
}

fn write_parquet(file: &mut File, names: &[String], x: &DMatrix<f64>) -> anyhow::Result<()> {
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
    for first in (0..x.ncols()).step_by(GROUP) {
        let rows = x.columns(first, GROUP.min(x.ncols() - first));
        let mut group = parquet.next_row_group()?;
        for row in rows.row_iter() {
            let values: Vec<f64> = row.iter().copied().collect();
            let mut column = group.next_column()?.context("as many columns as features")?;
            column.typed::<DoubleType>().write_batch(&values, None, None)?;
            column.close()?;
        }
        group.close()?;
    }
    parquet.close()?;
    Ok(())
}
