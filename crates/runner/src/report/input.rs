//! The JSON of an estimate or of an evaluation, read back.
//!
//! A file may have been edited or damaged, or come from another version. So all numbers are checked
//! here, once, before anything is drawn from them; a message names the key.

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    outcomes::text::shown,
    report::{
        checks,
        estimate::{self, EstimateRecord},
        model_estimate::{self, ModelEstimateRecord},
        study::{self, StudyRecord},
    },
    reproduce::results::{self, Results},
};

/// What `report` makes a page of.
#[derive(Clone, Debug)]
pub enum ReportInput {
    /// What `estimate --json` writes.
    Estimate(Box<EstimateRecord>),
    /// What `estimate --model --json` writes.
    ModelEstimate(Box<ModelEstimateRecord>),
    /// What `study` writes to `study.json`.
    Study(Box<StudyRecord>),
    /// The `results.json` of `reproduce`.
    Evaluation(Box<Results>),
}

impl ReportInput {
    /// Reads and checks the text of a file.
    ///
    /// # Errors
    /// When the text is not JSON, is not a result of this program or is one in another format, and when
    /// a value is of the wrong type or out of range. The message names the key.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let value: Value = serde_json::from_str(text).context("it is not JSON")?;
        let has = |keys: &[&str]| keys.iter().all(|key| value.get(key).is_some());
        if has(&["format", "study"]) {
            anyhow::bail!(
                "it is an answer of `estimate --study`, which has no page; make one of the study.json of the study, or \
                 ask again with --runs"
            );
        }
        if has(&["format", "certified"]) {
            let format = value.get("format").and_then(Value::as_str).unwrap_or_default();
            anyhow::ensure!(
                format == study::FORMAT,
                "its format is `{}`, but this program reads `{}`; run `study` again",
                shown(format),
                study::FORMAT
            );
            let record: StudyRecord = typed(&value, text, "study", 0)?;
            checks::study(&record)?;
            Ok(Self::Study(Box::new(record)))
        } else if has(&["format", "model"]) {
            let format = value.get("format").and_then(Value::as_str).unwrap_or_default();
            anyhow::ensure!(
                format == model_estimate::FORMAT,
                "its format is `{}`, but this program reads `{}`; run `estimate --model --json` again",
                shown(format),
                model_estimate::FORMAT
            );
            let record: ModelEstimateRecord = typed(&value, text, "estimate --model --json", 0)?;
            checks::model_estimate(&record)?;
            Ok(Self::ModelEstimate(Box::new(record)))
        } else if has(&["estimate"]) || has(&["criterion", "probability"]) {
            let record: EstimateRecord =
                typed(&value, text, "estimate --json", estimate::FORMAT_VERSION)?;
            checks::estimate(&record)?;
            Ok(Self::Estimate(Box::new(record)))
        } else if has(&["rows"]) || has(&["system", "trials"]) {
            let results: Results = typed(&value, text, "reproduce", results::FORMAT_VERSION)?;
            checks::evaluation(&results)?;
            Ok(Self::Evaluation(Box::new(results)))
        } else {
            anyhow::bail!(
                "it is neither an estimate nor an evaluation of this program: it has neither the key `estimate` nor `rows`"
            )
        }
    }
}

/// The values of `text`, which is JSON and known to be what `command` writes; `latest` is the version of
/// its format.
fn typed<T: DeserializeOwned>(
    value: &Value,
    text: &str,
    command: &str,
    latest: u32,
) -> anyhow::Result<T> {
    let format = value.get("format_version").and_then(Value::as_u64);
    let writer = value.get("version").and_then(Value::as_str).map_or_else(
        || "an unknown version of latent-is".to_owned(),
        |version| format!("latent-is {}", shown(version)),
    );
    let this = env!("CARGO_PKG_VERSION");
    anyhow::ensure!(
        format.is_none_or(|format| format <= latest.into()),
        "{writer} wrote it, in a later format than this version ({this}) reads; make the page with that version"
    );
    // From the text: a number in a `Value` may have lost its last digits.
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let key = key(&error.path().to_string());
        let cause = cause(error.inner());
        // A format with a name has its version in it.
        let named = value.get("format").is_some();
        if format.is_none() && !named && error.inner().is_data() {
            anyhow::anyhow!(
                "{writer} wrote it before its format had a version, and this program ({this}) cannot read it: {key}{cause}; run `{command}` again, or make the page with the program that wrote it"
            )
        } else {
            anyhow::anyhow!("{key}{cause}")
        }
    })
}

/// The beginning of a message about the value at `path`.
fn key(path: &str) -> String {
    if path == "." { String::new() } else { format!("`{}`: ", shown_path(path)) }
}

/// A path without control characters, and cut.
fn shown_path(path: &str) -> String {
    path.split('.').map(shown).collect::<Vec<_>>().join(".").chars().take(120).collect()
}

/// The message of `error`, which may repeat a text of the file, in a reasonable length.
fn cause(error: &serde_json::Error) -> String {
    error.to_string().chars().take(200).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        format!("{:#}", ReportInput::parse(text).unwrap_err())
    }

    #[test]
    fn what_is_no_result_is_refused() {
        assert!(refused("").contains("it is not JSON"));
        assert!(refused("{\"a\": 1").contains("it is not JSON: EOF"));
        for text in ["{}", "[]", "1", "\"estimate\"", "{\"a\": 1}"] {
            let error = refused(text);
            assert!(error.contains("neither an estimate nor an evaluation"), "{error}");
        }
    }

    #[test]
    fn other_formats_are_named_with_their_writer() {
        let old = refused("{\"estimate\": {\"log_pf\": -3.0}, \"version\": \"0.0.9\"}");
        assert!(old.contains("latent-is 0.0.9 wrote it before its format had a version"), "{old}");
        assert!(old.contains("run `estimate --json` again"), "{old}");
        let later = refused("{\"estimate\": {}, \"format_version\": 3, \"version\": \"9.0.0\"}");
        assert!(later.contains("latent-is 9.0.0 wrote it, in a later format"), "{later}");
        let results = refused("{\"rows\": [], \"version\": \"0.0.9\", \"system\": 3}");
        assert!(results.contains("`system`: invalid type"), "{results}");
        assert!(results.contains("run `reproduce` again"), "{results}");
        let long = refused(&format!("{{\"rows\": [], \"system\": [\"{}\"]}}", "x".repeat(9999)));
        assert!(long.len() < 600, "{long}");
    }
}
