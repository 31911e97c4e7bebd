//! Outcomes as comma-separated values: a line of feature names, then one line per outcome.

use std::{fs::File, path::Path};

use nalgebra::DMatrix;

use crate::outcomes::table::OutcomeTable;

pub(super) fn read(path: &Path) -> anyhow::Result<OutcomeTable> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    anyhow::ensure!(
        names.iter().any(|name| name.parse::<f64>().is_err()),
        "the first line must name the features, but it contains numbers"
    );
    let mut data = Vec::new();
    for record in reader.records() {
        // The reader refuses a row with too few or too many entries and reports its line.
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
    Ok(OutcomeTable { x: DMatrix::from_vec(d, data.len() / d, data), names })
}

pub(super) fn write(file: &mut File, names: &[String], x: &DMatrix<f64>) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(file);
    csv.write_record(names)?;
    for outcome in x.column_iter() {
        csv.write_record(outcome.iter().map(f64::to_string))?;
    }
    Ok(csv.flush()?)
}
