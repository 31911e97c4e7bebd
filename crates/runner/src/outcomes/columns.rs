//! A table that is filled value by value, from files that store arrays or columns.

use crate::outcomes::{
    number::{Value, exact},
    options::ReadOptions,
    shape::TableShape,
    table::{OutcomeTable, RawTable, row_of_array},
    text::shown,
};

/// The values of a file, before the checks of [`RawTable`].
#[derive(Debug)]
pub(super) struct ColumnTable<'a> {
    options: &'a ReadOptions,
    /// Feature names, `[d]`.
    names: Vec<String>,
    named: bool,
    /// All rows, one after the other, `[n * d]`.
    data: Vec<f64>,
    /// Rows that are left out, because a value is missing, `[n]`.
    missing: Vec<bool>,
}

impl<'a> ColumnTable<'a> {
    /// A table of `rows` rows of zeros.
    ///
    /// # Errors
    /// As [`TableShape::new`].
    pub(super) fn new(
        names: Vec<String>,
        named: bool,
        rows: usize,
        options: &'a ReadOptions,
    ) -> anyhow::Result<Self> {
        let data = vec![0.0; TableShape::new(rows, names.len())?.len()];
        Ok(Self { options, names, named, data, missing: vec![false; rows] })
    }

    /// Puts a value in row `row` of column `k`.
    ///
    /// # Errors
    /// When there is no such row, when the value is missing and such rows are not left out, and when it
    /// is an integer that no `f64` is equal to.
    pub(super) fn put(&mut self, row: usize, k: usize, value: Value) -> anyhow::Result<()> {
        let place = || format!("{}: `{}`", row_of_array(row), shown(&self.names[k]));
        anyhow::ensure!(
            row < self.missing.len(),
            "`{}` has more than {} rows",
            shown(&self.names[k]),
            self.missing.len()
        );
        self.data[row * self.names.len() + k] = match value {
            Value::Number(value) => value,
            Value::Integer(value) => exact(value).ok_or_else(|| {
                anyhow::anyhow!(
                    "{} is {value}, an integer that no float64 is equal to; subtract a constant from the column, or leave it out with --columns",
                    place()
                )
            })?,
            Value::Missing if self.options.is_missing("") => {
                self.missing[row] = true;
                return Ok(());
            }
            Value::Missing => anyhow::bail!(
                "{} is missing; remove the row, or leave out all such rows with --missing ''",
                place()
            ),
        };
        Ok(())
    }

    /// Leaves out the rows with missing values and checks the others.
    ///
    /// # Errors
    /// As [`RawTable::admit`].
    pub(super) fn admit(self) -> anyhow::Result<OutcomeTable> {
        let Self { options, names, named, mut data, missing } = self;
        let d = names.len();
        let kept: Vec<usize> = (0..missing.len()).filter(|row| !missing[*row]).collect();
        if kept.len() < missing.len() {
            for (k, &row) in kept.iter().enumerate() {
                data.copy_within(row * d..(row + 1) * d, k * d);
            }
            data.truncate(kept.len() * d);
        }
        let mut table = RawTable::new(names, named);
        table.left_out = missing.len() - kept.len();
        table.data = data;
        table.admit(options, |row| row_of_array(kept[row]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(options: &ReadOptions, values: [Value; 4]) -> anyhow::Result<OutcomeTable> {
        let names = ["a", "b"].map(str::to_owned).to_vec();
        let mut table = ColumnTable::new(names, true, 2, options)?;
        for (i, value) in values.into_iter().enumerate() {
            table.put(i / 2, i % 2, value)?;
        }
        table.admit()
    }

    #[test]
    fn missing_values_and_integers_without_an_equal_are_named() {
        let (none, number) = (ReadOptions::default(), Value::Number(1.0));
        let error = |value| filled(&none, [number, number, number, value]).unwrap_err().to_string();
        let missing = error(Value::Missing);
        assert!(missing.contains("row 1 (counted from 0): `b` is missing"), "{missing}");
        let large = error(Value::Integer((1 << 53) + 1));
        assert!(large.contains("row 1 (counted from 0): `b` is 9007199254740993"), "{large}");
        let options = ReadOptions { missing: vec![String::new()], ..none };
        let three = Value::Integer(3);
        let table = filled(&options, [Value::Missing, number, three, number]).unwrap();
        assert_eq!((table.left_out, table.x.as_slice()), (1, &[3.0, 1.0][..]));
    }

    #[test]
    fn there_are_as_many_rows_as_said() {
        let options = ReadOptions::default();
        let mut table = ColumnTable::new(vec!["a".to_owned()], true, 2, &options).unwrap();
        let error = table.put(2, 0, Value::Missing).unwrap_err().to_string();
        assert!(error.contains("`a` has more than 2 rows"), "{error}");
    }
}
