//! One row of a table of samples.

use std::path::Path;

use anyhow::Context;
use csv::StringRecord;

use crate::models::columns::SampleColumns;

/// A sample as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedSample {
    /// The inputs, `[m]`.
    pub inputs: Vec<f64>,
    /// The seed.
    pub seed: u64,
    /// The outcome, `[d]`.
    pub outputs: Vec<f64>,
}

impl RecordedSample {
    /// Reads row `row` (the first one after the names is 1) of the CSV file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, has no such row or lacks a column, or an entry is not a number.
    pub fn read(path: &Path, row: usize, columns: &SampleColumns) -> anyhow::Result<Self> {
        let csv = path.extension().is_some_and(|extension| extension == "csv");
        let origin = path.display();
        anyhow::ensure!(csv, "{origin}: only .csv is replayed; write the failures in that format");
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {origin}"))?;
        Self::of(csv::Reader::from_reader(file), row, columns)
            .with_context(|| format!("cannot read {origin}"))
    }

    fn of(
        mut csv: csv::Reader<impl std::io::Read>,
        row: usize,
        columns: &SampleColumns,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(row > 0, "rows are counted from 1");
        let names = csv.headers()?.clone();
        let mut rows = 0;
        for record in csv.records() {
            let record = record?;
            rows += 1;
            if rows < row {
                continue;
            }
            let entry = |name: &String| entry(&names, &record, name, row);
            let number = |name: &String| -> anyhow::Result<f64> {
                let text = entry(name)?;
                text.trim()
                    .parse()
                    .with_context(|| format!("row {row}: `{name}` is `{text}`, not a number"))
            };
            let seed = entry(&columns.seed)?;
            return Ok(Self {
                inputs: columns.inputs.iter().map(number).collect::<anyhow::Result<_>>()?,
                seed: seed.trim().parse().with_context(|| {
                    format!("row {row}: the seed is `{seed}`, not a whole number")
                })?,
                outputs: columns.outputs.iter().map(number).collect::<anyhow::Result<_>>()?,
            });
        }
        anyhow::bail!("it has {rows} rows, there is no row {row}")
    }
}

fn entry<'a>(
    names: &StringRecord,
    record: &'a StringRecord,
    name: &str,
    row: usize,
) -> anyhow::Result<&'a str> {
    let place = names.iter().position(|found| found == name).with_context(|| {
        format!("there is no column `{name}`; is the file one of this model, by `--samples` or `simulate --model`?")
    })?;
    record.get(place).with_context(|| format!("row {row} has no entry for `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{file::ModelFile, samples::Samples};
    use nalgebra::DMatrix;

    #[test]
    fn what_is_written_is_read_to_the_last_bit() {
        let text = "[model]\ncommand = [\"true\"]\n[inputs]\nspeed = { normal = { mean = 20.0, sd = 2.5 } }\n[outputs]\nnames = [\"speed\", \"distance\"]\n";
        let file = ModelFile::parse(text, Path::new("m.toml")).unwrap();
        let columns = SampleColumns::of(&file.open(None).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.csv");
        let samples = Samples {
            columns: columns.clone(),
            w: DMatrix::from_row_slice(1, 2, &[0.1 + 0.2, 1e-300]),
            seeds: vec![u64::MAX, 9_007_199_254_740_993],
            outputs: DMatrix::from_column_slice(2, 2, &[1.0 / 3.0, -0.0, f64::NAN, 2.0]),
            more: Vec::new(),
            statuses: None,
        };
        samples.write(&path).unwrap();
        let read = |row| RecordedSample::read(&path, row, &columns);
        let (one, two) = (read(1).unwrap(), read(2).unwrap());
        assert_eq!((one.seed, two.seed), (u64::MAX, 9_007_199_254_740_993));
        let bits = |v: &[f64]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&one.inputs), bits(samples.w.column(0).as_slice()));
        assert_eq!(bits(&one.outputs), bits(samples.outputs.column(0).as_slice()));
        assert!(two.outputs[0].is_nan() && bits(&two.inputs) == bits(&[1e-300]));
        let message = |row| format!("{:#}", read(row).unwrap_err());
        assert!(message(3).contains("it has 2 rows, there is no row 3"), "{}", message(3));
        assert!(message(0).contains("counted from 1"));
        std::fs::write(&path, "speed,distance\n1,2\n").unwrap();
        assert!(message(1).contains("no column `seed`"), "{}", message(1));

        // In other formats no digit of a seed is lost either.
        let path = folder.path().join("s.npy");
        samples.write(&path).unwrap();
        let (names, x) = samples.numbers();
        assert_eq!(names[1..3], ["seed_upper", "seed_lower"]);
        assert_eq!(((x[(1, 1)] as u64) << 32) | x[(2, 1)] as u64, samples.seeds[1]);
    }
}
