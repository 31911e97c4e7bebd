//! Inputs, seeds and outcomes in a file.

use std::{fs::File, path::Path};

use csv::Writer;
use nalgebra::{DMatrix, DVector};
use sim_core::Status;

use crate::{
    models::{columns::SampleColumns, words},
    outcomes::{self, Format},
    output::file::replace,
};

/// The lower half of a seed.
const LOWER: u64 = 0xffff_ffff;

/// Samples of a model with all that is needed to run them again.
pub struct Samples {
    /// Names of the columns.
    pub columns: SampleColumns,
    /// Inputs, `[m, n]`, in their units.
    pub w: DMatrix<f64>,
    /// Seeds, `[n]`.
    pub seeds: Vec<u64>,
    /// Outcomes, `[d, n]`.
    pub outputs: DMatrix<f64>,
    /// Further numbers, `[n]`, with the names of their columns, such as the weights of failures.
    pub more: Vec<(&'static str, DVector<f64>)>,
    /// How the evaluations ended, `[n]`, for the column `status`.
    pub statuses: Option<Vec<Status>>,
}

impl Samples {
    /// Writes the samples: inputs, seed, outcomes, further numbers and statuses.
    ///
    /// In CSV the seed is a whole number of up to 20 digits. The other formats hold numbers of 53 bits: there
    /// the upper and the lower 32 bits of the seed are two columns, and statuses, which are text, are left
    /// out.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        match Format::to_write(path)? {
            Format::Csv => replace(path, |file| self.write_csv(file)),
            format => {
                let (names, x) = self.numbers();
                outcomes::write(path, format, &names, &x)
            }
        }
    }

    fn write_csv(&self, file: &mut File) -> anyhow::Result<()> {
        let mut csv = Writer::from_writer(file);
        let columns = &self.columns;
        let mut names =
            [&columns.inputs[..], std::slice::from_ref(&columns.seed), &columns.outputs].concat();
        names.extend(self.more.iter().map(|(name, _)| columns.another(name)));
        names.extend(self.statuses.as_ref().map(|_| columns.another("status")));
        csv.write_record(&names)?;
        for (j, seed) in self.seeds.iter().enumerate() {
            let inputs = self.w.column(j);
            let outputs = self.outputs.column(j);
            let mut row: Vec<String> = inputs.iter().map(f64::to_string).collect();
            row.push(seed.to_string());
            row.extend(outputs.iter().map(f64::to_string));
            row.extend(self.more.iter().map(|(_, values)| values[j].to_string()));
            row.extend(self.statuses.as_ref().map(|statuses| words::status(&statuses[j])));
            csv.write_record(&row)?;
        }
        Ok(csv.flush()?)
    }

    /// The same as numbers alone.
    pub(super) fn numbers(&self) -> (Vec<String>, DMatrix<f64>) {
        let columns = &self.columns;
        let mut names = columns.inputs.clone();
        names.push(columns.another("seed_upper"));
        names.push(columns.another("seed_lower"));
        names.extend_from_slice(&columns.outputs);
        names.extend(self.more.iter().map(|(name, _)| columns.another(name)));
        let (m, d) = (self.w.nrows(), self.outputs.nrows());
        let x = DMatrix::from_fn(names.len(), self.seeds.len(), |i, j| match i {
            i if i < m => self.w[(i, j)],
            i if i == m => (self.seeds[j] >> 32) as f64,
            i if i == m + 1 => (self.seeds[j] & LOWER) as f64,
            i if i < m + 2 + d => self.outputs[(i - m - 2, j)],
            _ => self.more[i - m - 2 - d].1[j],
        });
        (names, x)
    }
}
