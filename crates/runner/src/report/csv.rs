//! The rows as comma-separated values, under the names of `results.json` and in full precision.

use serde_json::Value;

use crate::reproduce::Results;

/// One line a row.
///
/// # Errors
/// When a row holds a number that JSON has no form for.
pub(super) fn rows(results: &Results) -> anyhow::Result<String> {
    // A path through JSON text keeps the order of the fields.
    let mut lines = Vec::new();
    for row in &results.rows {
        let Value::Object(fields) = serde_json::to_value(row)? else {
            anyhow::bail!("a row is an object");
        };
        if lines.is_empty() {
            lines.push(fields.keys().cloned().collect::<Vec<_>>().join(","));
        }
        let cells = fields.values().map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        lines.push(cells.collect::<Vec<_>>().join(","));
    }
    Ok(lines.join("\n") + "\n")
}
