//! The memory that a packed file may take.

/// Numbers and unpacked pages may take this much memory whatever the size of the file,
const FREE_BYTES: u64 = 64 << 20;
/// and this many times its size: no real table is compressed further.
const LARGEST_RATIO: u64 = 256;

/// Checks that a file of `file` bytes may have `rows` rows of `columns` numbers, in pages of `unpacked`
/// bytes after decompression.
///
/// # Errors
/// When they are too many for the size of the file.
pub(super) fn check(file: usize, rows: u64, columns: usize, unpacked: u64) -> anyhow::Result<()> {
    let file = file as u64;
    let limit = FREE_BYTES.saturating_add(file.saturating_mul(LARGEST_RATIO));
    let numbers = rows.saturating_mul(8 * columns as u64);
    let memory = numbers.saturating_add(unpacked);
    anyhow::ensure!(
        memory <= limit,
        "{rows} rows of {columns} numbers would take {} times the size of the file; it is damaged",
        memory / file.max(1)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_may_unpack_to_a_fixed_size_and_large_ones_to_a_multiple() {
        check(100, 1 << 20, 4, 1 << 24).unwrap();
        check(1 << 30, 1 << 34, 1, 0).unwrap();
        check(1 << 30, 1 << 35, 1, 1 << 30).unwrap_err();
        let error = check(100, u64::MAX, 4, 0).unwrap_err().to_string();
        assert!(error.contains("times the size of the file; it is damaged"), "{error}");
    }
}
