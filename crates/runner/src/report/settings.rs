//! The table of settings: of all estimators, of the flow and of its training.

use serde_json::Value;

use crate::{
    report::table::ReportTable,
    reproduce::{key::all_settings, results::Results},
};

/// The settings of an evaluation.
///
/// # Errors
/// When a setting is invalid.
pub fn settings(results: &Results) -> anyhow::Result<ReportTable> {
    let experiment = &results.experiment;
    let mut columns = all_settings(experiment.budget)?;
    let training = serde_json::to_value(&experiment.training)?;
    columns.push(("flow".to_owned(), training));
    let flat: Vec<Vec<(String, String)>> =
        columns.iter().map(|(_, value)| flattened(value)).collect();
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in flat.iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let row = |name: &&String| {
        let cell = |settings: &Vec<(String, String)>| {
            let found = settings.iter().find(|(n, _)| n == *name);
            found.map_or(String::new(), |(_, value)| value.clone())
        };
        std::iter::once((*name).clone()).chain(flat.iter().map(cell)).collect()
    };
    Ok(ReportTable {
        title: format!("{}: settings", results.system),
        head: std::iter::once("setting".to_owned())
            .chain(columns.iter().map(|(name, _)| name.clone()))
            .collect(),
        text_columns: 1,
        rows: names.iter().map(row).collect(),
        remarks: vec![
            "`paper`: the published settings; `default`: the settings of this library.".to_owned(),
        ],
    })
}

/// All leaves of a JSON value with their paths.
fn flattened(value: &Value) -> Vec<(String, String)> {
    fn walk(path: &str, value: &Value, leaves: &mut Vec<(String, String)>) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    walk(&path, value, leaves);
                }
            }
            Value::Null => leaves.push((path.to_owned(), "none".to_owned())),
            Value::String(text) => leaves.push((path.to_owned(), text.clone())),
            other => leaves.push((path.to_owned(), other.to_string())),
        }
    }
    let mut leaves = Vec::new();
    walk("", value, &mut leaves);
    leaves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_have_their_paths() {
        let value = serde_json::json!({ "a": { "b": 1, "c": null }, "d": "x" });
        let leaves = [("a.b", "1"), ("a.c", "none"), ("d", "x")];
        assert_eq!(flattened(&value), leaves.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
