//! What a user does with data of their own.

pub mod estimate;
pub mod inspect;
pub mod metrics;
pub mod report;
pub mod train;

use std::path::Path;

use flow_core::FlowFile;

use crate::reading::{self, Table};

/// Key of the feature names in a flow's provenance, separated by commas.
const FEATURES: &str = "features";

/// Column of the weights among sampled failures.
const WEIGHT: &str = "weight";

/// Names of a flow's features; `x0`, `x1`, … where the file has none.
fn feature_names(file: &FlowFile) -> Vec<String> {
    let named = file.record.provenance.get(FEATURES);
    let names: Vec<String> =
        named.map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default();
    if names.len() == file.flow.features() {
        names
    } else {
        (0..file.flow.features()).map(|i| format!("x{i}")).collect()
    }
}

/// Outcomes from a file for a flow of the features `names`.
///
/// # Errors
/// When the file cannot be read or has other features.
fn outcomes_of(path: &Path, names: &[String]) -> anyhow::Result<Table> {
    let table = reading::read(path)?;
    let place = path.display();
    anyhow::ensure!(
        table.names.len() == names.len(),
        "{place} has {} features, the flow has {}: {}",
        table.names.len(),
        names.len(),
        names.join(", ")
    );
    let nameless =
        |name: &String| name.strip_prefix('x').is_some_and(|rest| rest.parse::<usize>().is_ok());
    let other = table.names.iter().zip(names).position(|(a, b)| a != b);
    if let Some(i) = other
        && !table.names.iter().all(nameless)
        && !names.iter().all(nameless)
    {
        anyhow::bail!(
            "feature {} is `{}` in {place} and `{}` in the flow; the order must be that of the flow: {}",
            i + 1,
            table.names[i],
            names[i],
            names.join(", ")
        );
    }
    Ok(table)
}
