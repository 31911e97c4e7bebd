//! Outcomes as a matrix with named features, and the checks that every file passes.

use nalgebra::DMatrix;

use crate::outcomes::{
    options::ReadOptions,
    shape::TableShape,
    text::{listed, shown},
};

/// Outcomes with the names of their features, in physical units. All numbers are finite; names are
/// neither empty nor equal.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeTable {
    /// Feature names, `[d]`; `x0`, `x1`, … if the file has none.
    pub names: Vec<String>,
    /// Whether the names are in the file, or were given with `--columns`.
    pub named: bool,
    /// Outcomes, `[d, n]`, one per column.
    pub x: DMatrix<f64>,
    /// Number of rows left out, because a value in them is declared missing.
    pub left_out: usize,
}

impl OutcomeTable {
    /// The table without the column `name`; unchanged if there is no such column.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        match self.names.iter().position(|n| n == name) {
            Some(i) => self.without_column(i),
            None => self,
        }
    }

    /// The table without column `i`.
    #[must_use]
    pub fn without_column(mut self, i: usize) -> Self {
        self.names.remove(i);
        Self { x: self.x.remove_row(i), ..self }
    }

    /// The table with the features `names` in this order.
    ///
    /// A file without names is taken by position. A file with names is taken by name.
    ///
    /// # Errors
    /// When the number of features differs, or a name is not in the table.
    pub fn in_order_of(self, names: &[String]) -> anyhow::Result<Self> {
        let (found, wanted) = (self.names.len(), names.len());
        anyhow::ensure!(
            found == wanted || (self.named && found > wanted && self.has_all(names)),
            "it has {found} features, not {wanted}: {}",
            listed(names, ", ")
        );
        anyhow::ensure!(
            found == wanted,
            "it has {found} features, not {wanted}; choose them with --columns {}",
            listed(names, ",")
        );
        if !self.named {
            return Ok(Self { names: names.to_vec(), ..self });
        }
        let position = |name: &String| {
            self.names.iter().position(|n| n == name).ok_or_else(|| {
                anyhow::anyhow!(
                    "there is no column `{}`; the columns are {}; name them as the features with --rename OLD=NEW",
                    shown(name),
                    listed(&self.names, ", ")
                )
            })
        };
        let rows = names.iter().map(position).collect::<anyhow::Result<Vec<_>>>()?;
        let x = if rows.iter().enumerate().all(|(i, row)| i == *row) {
            self.x
        } else {
            self.x.select_rows(&rows)
        };
        Ok(Self { names: names.to_vec(), x, ..self })
    }

    fn has_all(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.names.contains(name))
    }
}

/// Numbers as a reader found them, before the checks.
#[derive(Debug)]
pub(super) struct RawTable {
    /// Feature names, `[d]`.
    names: Vec<String>,
    named: bool,
    /// All rows, one after the other, `[n * d]`.
    pub(super) data: Vec<f64>,
    /// Number of rows left out by the reader.
    pub(super) left_out: usize,
}

impl RawTable {
    /// An empty table.
    pub(super) fn new(names: Vec<String>, named: bool) -> Self {
        Self { names, named, data: Vec::new(), left_out: 0 }
    }

    /// Leaves out the rows with a number that is declared missing and checks the others.
    ///
    /// `place` says where a row is in the file; rows are counted from 0 among those in `data`.
    ///
    /// # Errors
    /// When no row is left, or a number is NaN or infinite.
    pub(super) fn admit(
        mut self,
        options: &ReadOptions,
        place: impl Fn(usize) -> String,
    ) -> anyhow::Result<OutcomeTable> {
        let d = self.names.len();
        let missing = options.missing_numbers();
        let is_missing = |v: &f64| {
            missing
                .iter()
                .any(|m| m.total_cmp(v).is_eq() || *m - v == 0.0 || m.is_nan() && v.is_nan())
        };
        let mut kept = 0;
        for row in 0..self.data.len() / d.max(1) {
            let numbers = row * d..(row + 1) * d;
            if self.data[numbers.clone()].iter().any(is_missing) {
                self.left_out += 1;
                continue;
            }
            if let Some(i) = self.data[numbers.clone()].iter().position(|v| !v.is_finite()) {
                let value = self.data[row * d + i];
                anyhow::bail!(
                    "{}: `{}` is {value}; remove or correct rows with NaN or infinity, or leave them out with --missing {value}",
                    place(row),
                    shown(&self.names[i])
                );
            }
            self.data.copy_within(numbers, kept * d);
            kept += 1;
        }
        self.data.truncate(kept * d);
        let Self { names, named, data, left_out } = self;
        if kept == 0 && left_out > 0 {
            anyhow::bail!(
                "it contains no outcomes: a value is missing in each of its {left_out} rows"
            );
        }
        Ok(OutcomeTable { names, named, x: TableShape::new(kept, d)?.matrix(data)?, left_out })
    }
}

/// The place of a row in a file that is no text.
pub(super) fn row_of_array(row: usize) -> String {
    format!("row {row} (counted from 0)")
}
