//! The features of a flow and of the outcomes in a file.

use std::path::Path;

use flow_core::FlowFile;

use crate::outcomes::{self, table::OutcomeTable};

/// Key of the feature names in the provenance of a flow, separated by commas.
pub(super) const FEATURES: &str = "features";

/// Name of the column of weights among sampled failures.
pub(super) const WEIGHT: &str = "weight";

/// Names of the features of a flow; `x0`, `x1`, … if the file has no names.
pub(super) fn feature_names(file: &FlowFile) -> Vec<String> {
    let named = file.record.provenance.get(FEATURES);
    let names: Vec<String> =
        named.map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default();
    if names.len() == file.flow.features() {
        names
    } else {
        (0..file.flow.features()).map(|i| format!("x{i}")).collect()
    }
}

/// Reads outcomes for a flow with the features `names`.
///
/// # Errors
/// When the file cannot be read or has other features.
pub(super) fn outcomes_for(path: &Path, names: &[String]) -> anyhow::Result<OutcomeTable> {
    let table = outcomes::read(path)?;
    let file = path.display();
    anyhow::ensure!(
        table.names.len() == names.len(),
        "{file} has {} features, the flow has {}: {}",
        table.names.len(),
        names.len(),
        names.join(", ")
    );
    let generic =
        |name: &String| name.strip_prefix('x').is_some_and(|rest| rest.parse::<usize>().is_ok());
    let different = table.names.iter().zip(names).position(|(a, b)| a != b);
    if let Some(i) = different
        && !table.names.iter().all(generic)
        && !names.iter().all(generic)
    {
        anyhow::bail!(
            "feature {} is `{}` in {file} and `{}` in the flow; both must have the same order: {}",
            i + 1,
            table.names[i],
            names[i],
            names.join(", ")
        );
    }
    Ok(table)
}
