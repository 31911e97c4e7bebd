//! The result of a flow's checks after its training, kept in the flow file.

use flow_core::{Health, TrainingRecord};

/// Key of the result in the provenance of a flow.
pub(crate) const CHECKS: &str = "checks";
/// The result when every check passed.
const PASSED: &str = "passed";

/// The result as the flow file holds it.
pub(crate) fn result(health: &Health) -> String {
    let failed: Vec<&str> =
        health.findings.iter().filter(|f| !f.passed).map(|f| f.text.as_str()).collect();
    if failed.is_empty() { PASSED.to_owned() } else { format!("failed: {}", failed.join("; ")) }
}

/// The result of checks that failed after the training. A flow without a result is not suspected.
pub(crate) fn failed(record: &TrainingRecord) -> Option<&str> {
    record.provenance.get(CHECKS).map(String::as_str).filter(|result| *result != PASSED)
}
