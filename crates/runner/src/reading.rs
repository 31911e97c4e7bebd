//! Outcomes from files: NumPy, CSV or Parquet, one outcome a row.

use std::{fs::File, path::Path};

use anyhow::Context;
use nalgebra::DMatrix;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::outcomes::Format;

/// Outcomes with the names of their features.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// `[d]`; `x0`, `x1`, … where the file has none.
    pub names: Vec<String>,
    /// `[d, n]`, one outcome a column.
    pub x: DMatrix<f64>,
}

impl Table {
    /// The table less the column `name`, if it has one.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        let Some(place) = self.names.iter().position(|n| n == name) else { return self };
        let mut names = self.names;
        names.remove(place);
        Self { names, x: self.x.remove_row(place) }
    }
}

/// Reads a file of outcomes.
///
/// # Errors
/// When the file cannot be read, its ending is unknown, a row has too few or too many numbers, or an
/// entry is no number; the message has the line.
pub fn read(path: &Path) -> anyhow::Result<Table> {
    let table = match Format::of(path)? {
        Format::Npy => npy(path),
        Format::Csv => csv(path),
        Format::Parquet => parquet(path),
    }
    .with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(!table.x.is_empty(), "{} holds no outcomes", path.display());
    Ok(table)
}

fn npy(path: &Path) -> anyhow::Result<Table> {
    let file = npyz::NpyFile::new(std::io::BufReader::new(File::open(path)?))?;
    let shape = file.shape().to_vec();
    let [n, d] = shape[..] else {
        anyhow::bail!("the array has shape {shape:?}; two axes are needed, outcomes and features");
    };
    anyhow::ensure!(
        file.header().order() == npyz::Order::C,
        "the array is in column order; save `numpy.ascontiguousarray(x)`"
    );
    let data: Vec<f64> = match file.try_data::<f64>() {
        Ok(data) => data.collect::<Result<_, _>>()?,
        Err(file) => file
            .try_data::<f32>()
            .map_err(|_| anyhow::anyhow!("the numbers are neither float64 nor float32"))?
            .map(|v| v.map(f64::from))
            .collect::<Result<_, _>>()?,
    };
    let names = (0..d).map(|i| format!("x{i}")).collect();
    Ok(Table { names, x: DMatrix::from_vec(d as usize, n as usize, data) })
}

fn csv(path: &Path) -> anyhow::Result<Table> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    anyhow::ensure!(
        names.iter().any(|name| name.parse::<f64>().is_err()),
        "the first line must name the features, it holds numbers"
    );
    let mut data = Vec::new();
    for record in reader.records() {
        // A ragged row is refused by the reader, with its line.
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        for (text, name) in record.iter().zip(&names) {
            let number = text.parse::<f64>().map_err(|_| match text {
                "" => anyhow::anyhow!("line {line}: `{name}` is missing"),
                _ => anyhow::anyhow!("line {line}: `{name}` is `{text}`, not a number"),
            })?;
            data.push(number);
        }
    }
    let d = names.len();
    Ok(Table { x: DMatrix::from_vec(d, data.len() / d, data), names })
}

fn parquet(path: &Path) -> anyhow::Result<Table> {
    use parquet::record::Field;
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
    Ok(Table { x: DMatrix::from_vec(d, data.len() / d.max(1), data), names })
}

#[cfg(test)]
mod tests {
    use sim_core::Feature;

    use super::*;
    use crate::outcomes;

    const FEATURES: [Feature; 2] = [Feature::new("speed", "m/s"), Feature::new("height", "m")];

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let x = DMatrix::from_fn(2, 70, |i, j| (i as f64 + 0.1) * (j as f64).sin());
        for (ending, names) in
            [("npy", ["x0", "x1"]), ("csv", ["speed", "height"]), ("parquet", ["speed", "height"])]
        {
            let path = folder.path().join("x").with_extension(ending);
            outcomes::write(&path, Format::of(&path).unwrap(), &FEATURES, &x).unwrap();
            let table = read(&path).unwrap();
            assert_eq!(table.names, names);
            assert_eq!(table.x, x, "{ending}");
        }
    }

    #[test]
    fn bad_files_are_refused_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let message = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            format!("{:#}", read(&path).unwrap_err())
        };
        let ragged = message("ragged.csv", "a,b\n1,2\n3\n");
        assert!(ragged.contains("ragged.csv") && ragged.contains("line: 3"), "{ragged}");
        let text = message("text.csv", "a,b\n1,2\n3,fast\n");
        assert!(text.contains("line 3: `b` is `fast`, not a number"), "{text}");
        let missing = message("missing.csv", "a,b\n1,\n");
        assert!(missing.contains("line 2: `b` is missing"), "{missing}");
        let header = message("header.csv", "1,2\n3,4\n");
        assert!(header.contains("must name the features"), "{header}");
        let empty = message("empty.csv", "a,b\n");
        assert!(empty.contains("holds no outcomes"), "{empty}");
        assert!(message("x.npy", "no array").contains("x.npy"));
        assert!(message("x.parquet", "no table").contains("x.parquet"));
        assert!(message("x.xlsx", "").contains("ending must be"));
    }
}
