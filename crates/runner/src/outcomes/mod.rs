//! Outcomes in files: NumPy, CSV, Parquet or Arrow, one outcome per row, in physical units.
//!
//! Each format is read and written in one place: `npy`, `npz`, `csv`, `parquet` and `arrow`.

mod arrow;
mod columns;
mod csv;
pub mod dependence;
mod limit;
pub mod local_dimension;
mod npy;
mod npz;
mod number;
pub mod options;
mod parquet;
pub mod shape;
pub mod table;
pub(crate) mod text;

use std::path::Path;

use anyhow::Context;
use nalgebra::DMatrix;

use crate::{
    outcomes::{options::ReadOptions, table::OutcomeTable},
    output::file::replace,
};

/// A file format of outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.npy`: an array `[n, d]` or `[n]` of numbers.
    Npy,
    /// `.npz`: an archive with one such array. It is only read.
    Npz,
    /// `.csv`: a line of feature names, then one line per outcome.
    Csv,
    /// `.parquet`: one column of numbers per feature, under its name.
    Parquet,
    /// `.arrow`, `.feather` or `.ipc`: the same as an Arrow file.
    Arrow,
}

impl Format {
    /// The format of a file to read, which the file extension of `path` selects.
    ///
    /// # Errors
    /// When the extension is not one of these.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        Self::by_extension(path).with_context(|| {
            format!(
                "{}: the file extension must be .csv, .parquet, .arrow, .feather, .ipc, .npy or .npz; it selects the format",
                path.display()
            )
        })
    }

    /// The format of a file to write, which the file extension of `path` selects.
    ///
    /// # Errors
    /// When the extension is not one of these, or files of this format are only read.
    pub fn to_write(path: &Path) -> anyhow::Result<Self> {
        let format = Self::by_extension(path);
        anyhow::ensure!(
            format != Some(Self::Npz),
            "{}: archives are only read; write .npy instead",
            path.display()
        );
        format.with_context(|| {
            format!(
                "{}: the file extension must be .csv, .parquet, .arrow, .feather, .ipc or .npy; it selects the format",
                path.display()
            )
        })
    }

    fn by_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "npy" => Some(Self::Npy),
            "npz" => Some(Self::Npz),
            "csv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            "arrow" | "feather" | "ipc" => Some(Self::Arrow),
            _ => None,
        }
    }
}

/// Reads a file of outcomes.
///
/// # Errors
/// When the file cannot be read, its extension is unknown, it contains no outcomes, a row has too
/// few or too many entries, an entry is not a finite number, or a name is empty or there twice. The
/// message names the file and the line.
pub fn read(path: &Path, options: &ReadOptions) -> anyhow::Result<OutcomeTable> {
    match Format::of(path)? {
        Format::Npy => npy::read(path, options),
        Format::Npz => npz::read(path, options),
        Format::Csv => csv::read(path, options),
        Format::Parquet => parquet::read(path, options),
        Format::Arrow => arrow::read(path, options),
    }
    .with_context(|| format!("cannot read {}", path.display()))
}

/// Writes outcomes to a temporary file, then renames it to `path`.
///
/// # Shapes
/// - `names`: `[d]`
/// - `x`: `[d, n]`, one outcome per column
///
/// # Errors
/// When the file cannot be written, or the format is only read. `path` is then unchanged.
pub fn write(
    path: &Path,
    format: Format,
    names: &[String],
    x: &DMatrix<f64>,
) -> anyhow::Result<()> {
    replace(path, |file| match format {
        Format::Npy => npy::write(file, x),
        Format::Npz => anyhow::bail!("archives are only read"),
        Format::Csv => csv::write(file, names, x),
        Format::Parquet => parquet::write(file, names, x),
        Format::Arrow => arrow::write(file, names, x),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let written = ["speed", "height"].map(str::to_owned);
        let x = DMatrix::from_fn(2, 70, |i, j| (i as f64 + 0.1) * (j as f64).sin());
        for (extension, names) in [
            ("npy", ["x0", "x1"]),
            ("csv", ["speed", "height"]),
            ("parquet", ["speed", "height"]),
            ("arrow", ["speed", "height"]),
            ("feather", ["speed", "height"]),
            ("ipc", ["speed", "height"]),
        ] {
            let path = folder.path().join("x").with_extension(extension);
            write(&path, Format::of(&path).unwrap(), &written, &x).unwrap();
            let table = read(&path, &ReadOptions::default()).unwrap();
            assert_eq!(table.names, names);
            assert_eq!(table.x, x, "{extension}");
        }
    }

    #[test]
    fn bad_files_are_refused_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let message = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            format!("{:#}", read(&path, &ReadOptions::default()).unwrap_err())
        };
        let ragged = message("ragged.csv", "a,b\n1,2\n3\n");
        assert!(
            ragged.contains("ragged.csv")
                && ragged.contains("line 3 has 1 entries, the first line has 2"),
            "{ragged}"
        );
        let text = message("text.csv", "a,b\n1,2\n3,fast\n");
        assert!(text.contains("line 3: `b` is `fast`, not a number"), "{text}");
        let missing = message("missing.csv", "a,b\n1,\n");
        assert!(missing.contains("line 2: `b` is missing; remove the row"), "{missing}");
        let header = message("header.csv", "1,2\n3,4\n");
        assert!(header.contains("must name the features"), "{header}");
        let empty = message("empty.csv", "a,b\n");
        assert!(empty.contains("contains no outcomes"), "{empty}");
        assert!(message("x.npy", "no array").contains("x.npy"));
        assert!(message("x.parquet", "no table").contains("x.parquet"));
        assert!(message("x.npz", "no archive").contains("x.npz"));
        assert!(message("x.arrow", "no table").contains("x.arrow"));
        assert!(message("x.xlsx", "").contains("extension must be"));
        let error = Format::to_write(Path::new("x.npz")).unwrap_err().to_string();
        assert!(error.contains("x.npz: archives are only read"), "{error}");
    }
}
