//! The size of a table, checked before memory is asked for.
//!
//! All tables of this crate whose size comes from a file or an argument go through [`TableShape`].
//! `DMatrix::from_vec` is not enough: its own check multiplies without looking at overflow in a
//! release build, so with a wrapped product safe code reads beyond the end of the numbers.

use anyhow::Context;
use nalgebra::DMatrix;

/// The size of a table of at least one row and one column. The bytes of its numbers fit an `isize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableShape {
    rows: usize,
    columns: usize,
}

impl TableShape {
    /// `rows` rows of `columns` numbers.
    ///
    /// # Errors
    /// When there is no row or no column, or no memory can hold so many numbers.
    pub fn new(rows: usize, columns: usize) -> anyhow::Result<Self> {
        anyhow::ensure!(
            rows > 0 && columns > 0,
            "it contains no outcomes: {rows} rows of {columns} numbers"
        );
        byte_count(rows, columns, size_of::<f64>()).with_context(|| {
            format!("{rows} rows of {columns} numbers are more than any memory holds")
        })?;
        Ok(Self { rows, columns })
    }

    /// `rows` rows of `columns` numbers of `width` bytes, stored in exactly `available` bytes.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when the bytes are too few or too many.
    pub fn stored(
        rows: usize,
        columns: usize,
        width: usize,
        available: usize,
    ) -> anyhow::Result<Self> {
        let shape = Self::new(rows, columns)?;
        let needed = byte_count(rows, columns, width).unwrap_or(usize::MAX);
        anyhow::ensure!(
            available >= needed,
            "the file is truncated: {rows} rows of {columns} numbers need {needed} bytes, {available} are there"
        );
        anyhow::ensure!(
            available == needed,
            "{} bytes follow the {rows} rows of {columns} numbers; write one array per file",
            available - needed
        );
        Ok(shape)
    }

    /// `rows` rows of `columns` numbers, to be computed on this machine.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when this machine has less memory.
    pub fn in_memory(rows: usize, columns: usize) -> anyhow::Result<Self> {
        let needed = rows as f64 * columns as f64 * size_of::<f64>() as f64;
        let refused = |machine: &str| {
            format!(
                "{rows} outcomes of {columns} features need {} of memory{machine}; ask for fewer outcomes",
                bytes_in_words(needed)
            )
        };
        let shape = Self::new(rows, columns).with_context(|| refused(""))?;
        if let Some(memory) = machine_memory() {
            let machine = format!(", this machine has {}", bytes_in_words(memory as f64));
            anyhow::ensure!(needed <= memory as f64, refused(&machine));
        }
        Vec::<f64>::new().try_reserve_exact(shape.len()).with_context(|| refused(""))?;
        Ok(shape)
    }

    /// Number of numbers.
    pub fn len(self) -> usize {
        self.rows * self.columns
    }

    /// Never: a table has at least one number.
    pub fn is_empty(self) -> bool {
        false
    }

    /// The matrix `[columns, rows]` of the numbers of all rows, one row after the other.
    ///
    /// # Errors
    /// When `data` has another length.
    pub fn matrix(self, data: Vec<f64>) -> anyhow::Result<DMatrix<f64>> {
        anyhow::ensure!(
            data.len() == self.len(),
            "{} numbers are not {} rows of {}",
            data.len(),
            self.rows,
            self.columns
        );
        Ok(DMatrix::from_vec(self.columns, self.rows, data))
    }
}

/// Bytes of `rows` rows of `columns` numbers of `width` bytes, if a memory can hold them.
fn byte_count(rows: usize, columns: usize, width: usize) -> Option<usize> {
    let bytes = rows.checked_mul(columns)?.checked_mul(width)?;
    isize::try_from(bytes).is_ok().then_some(bytes)
}

/// The memory of this machine in bytes, where the system says it.
fn machine_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// `1.5 GB` and the like.
fn bytes_in_words(bytes: f64) -> String {
    const UNITS: [&str; 7] = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    let thousands = (bytes.max(1.0).log10() / 3.0).floor().clamp(0.0, 6.0);
    format!("{:.3} {}", bytes / 1e3_f64.powf(thousands), UNITS[thousands as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_that_wraps_is_refused() {
        for (rows, columns) in [
            // Twice this is 16 in 64 bits.
            (9_223_372_036_854_775_816, 2),
            (1 << 32, 1 << 32),
            (usize::MAX, 1),
            (1, usize::MAX),
            (1 << 60, 1),
        ] {
            let error = TableShape::new(rows, columns).unwrap_err().to_string();
            assert!(error.contains("more than any memory holds"), "{error}");
        }
        for (rows, columns) in [(0, 1_000_000_000_000_000_000), (0, 0), (5, 0)] {
            let error = TableShape::new(rows, columns).unwrap_err().to_string();
            assert!(error.contains("contains no outcomes"), "{error}");
        }
        assert_eq!(TableShape::new(2, 3).unwrap().len(), 6);
    }

    #[test]
    fn the_bytes_that_are_there_are_counted() {
        TableShape::stored(2, 3, 4, 24).unwrap();
        let error = |bytes| TableShape::stored(2, 3, 4, bytes).unwrap_err().to_string();
        assert!(error(23).contains("is truncated"), "{}", error(23));
        assert!(error(25).contains("1 bytes follow"), "{}", error(25));
    }

    #[test]
    fn what_does_not_fit_this_machine_is_refused_with_its_size() {
        let error = |n| format!("{:#}", TableShape::in_memory(n, 3).unwrap_err());
        assert!(error(1_000_000_000_000_000).contains("need 24.000 PB of memory"));
        assert!(error(usize::MAX / 2).contains("need 221.361 EB of memory"));
        TableShape::in_memory(1_000, 3).unwrap();
    }

    #[test]
    fn a_matrix_takes_exactly_its_numbers() {
        let shape = TableShape::new(2, 3).unwrap();
        assert!(shape.matrix(vec![0.0; 5]).is_err());
        assert_eq!(shape.matrix(vec![0.0; 6]).unwrap().shape(), (3, 2));
    }
}
