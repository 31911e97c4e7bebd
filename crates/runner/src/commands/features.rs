//! The features of a flow and of the outcomes in a file.

use std::path::Path;

use anyhow::Context;
use flow_core::{Completion, FlowFile};

use crate::outcomes::{self, options::ReadOptions, table::OutcomeTable};

/// Key of the feature names in the provenance of a flow.
pub(super) const FEATURES: &str = "features";

/// Key of the flow of a study: its own outcomes are tilted.
pub(super) const TILTED: &str = "tilted";

/// Refuses the flow of a study, whose own outcomes are not those of the model.
///
/// # Errors
/// When it is one.
pub(super) fn refuse_tilted(file: &FlowFile, path: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        !file.record.provenance.contains_key(TILTED),
        "{} is the flow of a study: its own outcomes are tilted towards failure; use `estimate --study` with the folder",
        path.display()
    );
    Ok(())
}

/// Name of the column of weights among sampled failures, if no feature has this name.
const WEIGHT: &str = "weight";

/// The text that stores feature names in the provenance of a flow: the names separated by commas or,
/// if a name contains a comma, a list in JSON.
pub(super) fn stored_names(names: &[String]) -> String {
    if names.iter().any(|name| name.contains(',') || name.starts_with('[')) {
        serde_json::Value::from(names).to_string()
    } else {
        names.join(",")
    }
}

/// Names of the features of a flow; `x0`, `x1`, … if the file has no names.
pub(super) fn feature_names(file: &FlowFile) -> Vec<String> {
    recorded_names(file).unwrap_or_else(|| (0..features(file)).map(|i| format!("x{i}")).collect())
}

/// Number of features of the outcomes, of which a flow may have only the free ones.
fn features(file: &FlowFile) -> usize {
    file.completion.as_ref().map_or(file.flow.features(), Completion::features)
}

/// Names of the features that the flow itself has, of all features `names`.
pub(super) fn names_in_flow(file: &FlowFile, names: &[String]) -> Vec<String> {
    match &file.completion {
        Some(completion) => completion.free().iter().map(|&i| names[i].clone()).collect(),
        None => names.to_vec(),
    }
}

/// Names of the features of a flow, if the file has them.
fn recorded_names(file: &FlowFile) -> Option<Vec<String>> {
    let stored = file.record.provenance.get(FEATURES)?;
    let names: Vec<String> = serde_json::from_str(stored)
        .unwrap_or_else(|_| stored.split(',').map(str::to_owned).collect());
    (names.len() == features(file)).then_some(names)
}

/// Name of the column of weights among sampled failures with the features `names`: `weight`, with as
/// many underscores as it takes to differ from all features.
pub(super) fn weight_column(names: &[String]) -> String {
    let mut name = WEIGHT.to_owned();
    while names.contains(&name) {
        name.push('_');
    }
    name
}

/// Reads outcomes and says how many rows were left out.
///
/// # Errors
/// As [`outcomes::read`].
pub(super) fn read_outcomes(path: &Path, options: &ReadOptions) -> anyhow::Result<OutcomeTable> {
    let table = outcomes::read(path, options)?;
    if table.left_out > 0 {
        eprintln!(
            "{}: {} of {} rows left out, a value is missing",
            path.display(),
            table.left_out,
            table.left_out + table.x.ncols()
        );
    }
    Ok(table)
}

/// Reads outcomes for a flow with the features `names`, in the order of the flow.
///
/// # Errors
/// When the file cannot be read or has other features.
pub(super) fn outcomes_for(
    path: &Path,
    names: &[String],
    options: &ReadOptions,
) -> anyhow::Result<OutcomeTable> {
    in_order_of(read_outcomes(path, options)?, names, path, "the flow")
}

/// The outcomes of the file `path` with the features `names` of `whose`, in this order.
///
/// Columns are matched by name. They are taken by position if the file has no names, or if the flow
/// has none (its features are then called `x0`, `x1`, …) and the file has no column of these names.
///
/// # Errors
/// When the file has other features.
pub(super) fn in_order_of(
    mut table: OutcomeTable,
    names: &[String],
    path: &Path,
    whose: &str,
) -> anyhow::Result<OutcomeTable> {
    let generic = names.iter().enumerate().all(|(i, name)| *name == format!("x{i}"));
    if generic && !table.names.iter().any(|name| names.contains(name)) {
        table.named = false;
    }
    table.in_order_of(names).with_context(|| format!("{} does not fit {whose}", path.display()))
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn table(list: &[&str], named: bool) -> OutcomeTable {
        let x = DMatrix::from_fn(list.len(), 2, |i, j| (i + 10 * j) as f64);
        OutcomeTable { names: names(list), named, x, left_out: 0 }
    }

    #[test]
    fn columns_are_matched_by_name() {
        let ordered = |list: &[&str], named, wanted: &[&str]| {
            in_order_of(table(list, named), &names(wanted), Path::new("f.csv"), "the flow")
                .map(|table| table.x.column(1).iter().copied().collect::<Vec<_>>())
                .map_err(|error| format!("{error:#}"))
        };
        assert_eq!(ordered(&["a", "b"], true, &["a", "b"]), Ok(vec![10.0, 11.0]));
        assert_eq!(ordered(&["b", "a"], true, &["a", "b"]), Ok(vec![11.0, 10.0]));
        assert_eq!(ordered(&["x1", "x0"], true, &["x0", "x1"]), Ok(vec![11.0, 10.0]));
        assert_eq!(ordered(&["x0", "x1"], false, &["a", "b"]), Ok(vec![10.0, 11.0]));
        // The names of the flow are not known.
        assert_eq!(ordered(&["b", "a"], true, &["x0", "x1"]), Ok(vec![10.0, 11.0]));
        let error = ordered(&["a", "c"], true, &["a", "b"]).unwrap_err();
        assert!(error.contains("f.csv does not fit the flow: there is no column `b`"), "{error}");
        let error = ordered(&["a", "b", "c"], true, &["b", "a"]).unwrap_err();
        assert!(error.contains("choose them with --columns b,a"), "{error}");
    }

    #[test]
    fn the_column_of_weights_differs_from_all_features() {
        assert_eq!(weight_column(&names(&["a"])), "weight");
        assert_eq!(weight_column(&names(&["weight", "weight_"])), "weight__");
    }

    #[test]
    fn names_with_commas_are_stored_as_a_list() {
        assert_eq!(stored_names(&names(&["a", "b"])), "a,b");
        let stored = stored_names(&names(&["a, in m", "b"]));
        assert_eq!(serde_json::from_str::<Vec<String>>(&stored).unwrap(), ["a, in m", "b"]);
    }
}
