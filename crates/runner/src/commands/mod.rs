//! What a user does with data of their own.

pub mod estimate;
pub mod inspect;
pub mod metrics;
pub mod report;
pub mod train;

use flow_core::FlowFile;

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
