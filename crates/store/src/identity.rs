//! Which model a store belongs to.

use serde::{Deserialize, Serialize};
use sim_core::Model;

/// Which model a store belongs to: evaluations of two models never share a store.
///
/// The distributions of the inputs are not part of it: an outcome is a function of inputs and seed, so that
/// a study with other distributions or another criterion can use the same evaluations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Name of the model.
    pub model: String,
    /// Names of the inputs, in order; their number is `m`.
    pub inputs: Vec<String>,
    /// Names of the outputs, in order; their number is `d`.
    pub outputs: Vec<String>,
    /// A digest of the settings that change outcomes (the command, its version, parameters), or an empty
    /// text. `safe_file::digest` makes one.
    pub settings: String,
}

impl Identity {
    /// The identity of `model`; `settings` as in [`Identity::settings`].
    pub fn of<M: Model + ?Sized>(model: &M, settings: impl Into<String>) -> Self {
        Self {
            model: model.name().to_owned(),
            inputs: model.inputs().names().map(str::to_owned).collect(),
            outputs: model.outputs().iter().map(|output| output.name().to_owned()).collect(),
            settings: settings.into(),
        }
    }

    /// What differs from `other`, in words; `None` when they are equal.
    pub(crate) fn differences(&self, other: &Self) -> Option<String> {
        let mut parts = Vec::new();
        let mut compare = |what: &str, a: String, b: String| {
            if a != b {
                parts.push(format!("{what} of the store: {a}; of this model: {b}"));
            }
        };
        compare("name", quoted(&self.model), quoted(&other.model));
        compare("inputs", self.inputs.join(", "), other.inputs.join(", "));
        compare("outputs", self.outputs.join(", "), other.outputs.join(", "));
        if self.settings != other.settings {
            // A hash says nothing to a reader.
            parts.push(
                "the program or its settings in the model file have changed since".to_owned(),
            );
        }
        if parts.is_empty() && self != other {
            // Names with commas in them.
            parts.push("the names are divided differently".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn what_differs_is_said() {
        let one = Identity {
            model: "brake".to_owned(),
            inputs: names(&["wind", "gap"]),
            outputs: names(&["distance"]),
            settings: "12".to_owned(),
        };
        assert_eq!(one.differences(&one.clone()), None);
        let two = Identity { inputs: names(&["gap", "wind"]), ..one.clone() };
        let text = one.differences(&two).unwrap();
        assert_eq!(text, "inputs of the store: wind, gap; of this model: gap, wind");
        let two = Identity { inputs: names(&["wind, gap"]), ..one.clone() };
        assert!(one.differences(&two).unwrap().contains("divided"));
        let two = Identity { settings: "13".to_owned(), model: "b".to_owned(), ..one.clone() };
        let text = one.differences(&two).unwrap();
        assert!(
            text.contains("`brake`") && text.contains("have changed") && !text.contains("inputs")
        );
    }
}
