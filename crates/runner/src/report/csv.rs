//! The rows of an evaluation as comma-separated values, with the names of `results.json` and in full
//! precision.

use crate::reproduce::row::Row;

/// A header and one line per row.
///
/// # Errors
/// When a row cannot be written.
pub(super) fn rows(rows: &[Row]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}
