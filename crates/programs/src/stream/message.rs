//! The lines of the stream protocol.
//!
//! To the program: `{"id": 7, "seed": 123, "inputs": {"wind": 0.3, "gap": 1.2}}`. From it:
//! `{"id": 7, "outputs": {"distance": 75.2, "speed": 0.0}}` or `{"id": 7, "error": "diverged"}`.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Map, Value};
use sim_core::{FailureKind, Feature, Status};

use crate::{
    json,
    text::{join, quote},
    work::{Answer, bad, finite},
};

/// Writes requests and reads answers.
#[derive(Clone, Debug)]
pub(crate) struct Messages {
    /// Names of the inputs, as JSON texts.
    inputs: Vec<String>,
    outputs: Vec<String>,
}

#[derive(Deserialize)]
struct Raw {
    id: Option<u64>,
    outputs: Option<Map<String, Value>>,
    error: Option<String>,
}

/// An answer: for which request, and what it says.
pub(crate) struct Received {
    pub(crate) id: u64,
    pub(crate) answer: Answer,
}

impl Messages {
    pub(crate) fn new<'a>(inputs: impl Iterator<Item = &'a str>, outputs: &[Feature]) -> Self {
        Self {
            inputs: inputs.map(|name| Value::from(name).to_string()).collect(),
            outputs: outputs.iter().map(|output| output.name().to_owned()).collect(),
        }
    }

    /// The longest line that an answer may be.
    pub(crate) fn longest(&self) -> usize {
        let names: usize = self.outputs.iter().map(|name| 6 * name.len() + 64).sum();
        (1 << 16) + names
    }

    /// The request for a sample.
    ///
    /// # Shapes
    /// - `inputs`: `[m]`
    pub(crate) fn request(&self, id: u64, seed: u64, inputs: &[f64]) -> String {
        let mut line = format!("{{\"id\": {id}, \"seed\": {seed}, \"inputs\": {{");
        for (i, (name, &value)) in self.inputs.iter().zip(inputs).enumerate() {
            let _ = write!(line, "{}{name}: ", if i == 0 { "" } else { ", " });
            json::push_number(&mut line, value);
        }
        line.push_str("}}\n");
        line
    }

    /// Reads an answer; `Err` says why the line is none.
    pub(crate) fn read(&self, line: &[u8]) -> Result<Received, String> {
        let shown = || quote(line);
        let text = std::str::from_utf8(line)
            .map_err(|_| format!("it wrote a line that is not UTF-8: {}", shown()))?;
        let raw: Raw = json::parse(text).map_err(|error| {
            format!(
                "it wrote a line that is no answer ({error}): {}. Only answers may go to standard output; write messages to standard error",
                shown()
            )
        })?;
        let Some(id) = raw.id else {
            return Err(format!("it wrote a line without `id`: {}", shown()));
        };
        let answer = match (raw.outputs, raw.error) {
            (_, Some(error)) => Err(Status::failed(FailureKind::Reported, error)),
            (Some(outputs), None) => self.values(&outputs),
            (None, None) => Err(bad(format!("neither `outputs` nor `error`: {}", shown()))),
        };
        Ok(Received { id, answer })
    }

    fn values(&self, outputs: &Map<String, Value>) -> Answer {
        let missing = self.outputs.iter().filter(|name| !outputs.contains_key(*name));
        let missing: Vec<_> = missing.map(String::as_str).collect();
        let more = outputs.keys().filter(|name| !self.outputs.contains(name));
        let more: Vec<_> = more.map(String::as_str).collect();
        if !missing.is_empty() || !more.is_empty() {
            let mut parts = Vec::new();
            if !missing.is_empty() {
                parts.push(format!("without {}", join(&missing)));
            }
            if !more.is_empty() {
                parts.push(format!("with {}, which `[outputs]` does not name", join(&more)));
            }
            return Err(bad(format!("the answer came {}", parts.join(" and "))));
        }
        let values = self.outputs.iter().map(|name| match &outputs[name] {
            Value::Null => Ok(f64::NAN),
            value => value
                .as_f64()
                .ok_or_else(|| bad(format!("output `{name}` is {value}, not a number"))),
        });
        finite(&self.outputs, values.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Messages {
        let outputs = [Feature::new("distance", "m"), Feature::new("speed", "m/s")];
        Messages::new(["wind", "g\"ap"].into_iter(), &outputs)
    }

    #[test]
    fn a_request_is_the_line_of_the_protocol() {
        let line = messages().request(7, u64::MAX, &[0.3, f64::NAN]);
        assert_eq!(
            line,
            "{\"id\": 7, \"seed\": 18446744073709551615, \"inputs\": {\"wind\": 0.3, \"g\\\"ap\": null}}\n"
        );
    }

    #[test]
    fn answers_are_read_in_any_order_and_refused_with_a_reason() {
        let read = |line: &str| messages().read(line.as_bytes());
        let answer = read(r#"{"outputs": {"speed": 0, "distance": 75.2}, "id": 7}"#).unwrap();
        assert_eq!((answer.id, answer.answer), (7, Ok(vec![75.2, 0.0])));
        let status = |line: &str| match read(line).unwrap().answer.unwrap_err() {
            Status::Failed { kind, message } => (kind, message.to_string()),
            other => panic!("{other:?}"),
        };
        let (kind, message) = status(r#"{"id": 7, "error": "diverged"}"#);
        assert_eq!((kind, message.as_str()), (FailureKind::Reported, "diverged"));
        for nan in ["null", "NaN", "-Infinity"] {
            let line = format!(r#"{{"id": 7, "outputs": {{"speed": {nan}, "distance": 1}}}}"#);
            let (kind, message) = status(&line);
            assert_eq!(kind, FailureKind::NotFinite);
            assert!(message.contains("`speed`"));
        }
        for (line, part) in [
            (r#"{"id": 7, "outputs": {"speed": 1}}"#, "without `distance`"),
            (r#"{"id": 7, "outputs": {"speed": 1, "distanse": 1}}"#, "with `distanse`"),
            (r#"{"id": 7, "outputs": {"speed": "1", "distance": 1}}"#, "not a number"),
            (r#"{"id": 7}"#, "neither"),
        ] {
            let (kind, message) = status(line);
            assert_eq!(kind, FailureKind::BadAnswer);
            assert!(message.contains(part), "{message}");
        }
        let refused = |line: &[u8]| messages().read(line).err().unwrap();
        assert!(refused(b"loading").contains("standard error"));
        assert!(refused(br#"{"outputs": {}}"#).contains("`id`"));
        assert!(refused(b"\xff").contains("UTF-8"));
        assert!(refused(br#"{"id": -1}"#).contains("no answer"));
    }
}
