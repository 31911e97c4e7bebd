//! Evaluations as bytes.
//!
//! | bytes | content |
//! | --- | --- |
//! | 8 | seed |
//! | 8 | seconds |
//! | 4 | worker |
//! | 4 | level |
//! | 8 m | inputs |
//! | 8 d | outputs |
//! | rest | nothing for an evaluation with an outcome; else the kind of the failure, a line end, the message |
//!
//! All numbers are little-endian; the bits of a NaN are kept.

use sim_core::model::{FailureKind, Status};

use crate::{error::StoreError, evaluation::Evaluation, frame};

/// The marker of an evaluation.
pub(crate) const MARKER: frame::Marker = *b"\xE7EVA";

/// The longest message of a failure, in bytes.
const MESSAGE: usize = 4096;

/// The longest name of a kind of failure with its line end, in bytes.
const KIND: usize = 64;

/// The sizes of the evaluations of one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Number of inputs.
    pub(crate) m: usize,
    /// Number of outputs.
    pub(crate) d: usize,
}

impl Layout {
    /// Bytes of an evaluation with an outcome.
    fn fixed(self) -> usize {
        24 + 8 * (self.m + self.d)
    }

    /// Bytes of the frame of an evaluation with an outcome, which is the shortest.
    pub(crate) fn shortest(self) -> usize {
        frame::HEAD + self.fixed()
    }

    /// Appends the frame of an evaluation.
    pub(crate) fn write(
        self,
        out: &mut Vec<u8>,
        evaluation: &Evaluation,
    ) -> Result<(), StoreError> {
        check("inputs", self.m, evaluation.inputs.len())?;
        check("outputs", self.d, evaluation.outputs.len())?;
        frame::write(out, MARKER, |out| {
            out.extend_from_slice(&evaluation.seed.to_le_bytes());
            out.extend_from_slice(&evaluation.seconds.to_le_bytes());
            out.extend_from_slice(&evaluation.worker.to_le_bytes());
            out.extend_from_slice(&evaluation.level.to_le_bytes());
            for value in evaluation.inputs.iter().chain(&evaluation.outputs) {
                out.extend_from_slice(&value.to_le_bytes());
            }
            if let Status::Failed { kind, message } = &evaluation.status {
                out.extend_from_slice(name(*kind).as_bytes());
                out.push(b'\n');
                out.extend_from_slice(beginning(message).as_bytes());
            }
        });
        Ok(())
    }

    /// What the first bytes of `bytes` are.
    pub(crate) fn parse(self, bytes: &[u8]) -> frame::Parsed<'_> {
        frame::parse(bytes, MARKER, self.fixed(), self.fixed() + KIND + MESSAGE)
    }

    /// Reads the payload of a frame; `None` if its status is none that this crate knows.
    pub(crate) fn read(self, payload: &[u8]) -> Option<Evaluation> {
        let (fixed, text) = payload.split_at_checked(self.fixed())?;
        let (words, _) = fixed.as_chunks::<8>();
        let float = |word: &[u8; 8]| f64::from_le_bytes(*word);
        let [a, b, c, d, e, f, g, h] = words[2];
        Some(Evaluation {
            seed: u64::from_le_bytes(words[0]),
            seconds: float(&words[1]),
            worker: u32::from_le_bytes([a, b, c, d]),
            level: u32::from_le_bytes([e, f, g, h]),
            inputs: words[3..3 + self.m].iter().map(float).collect(),
            outputs: words[3 + self.m..].iter().map(float).collect(),
            status: status(text)?,
        })
    }
}

fn check(what: &'static str, expected: usize, actual: usize) -> Result<(), StoreError> {
    if expected == actual { Ok(()) } else { Err(StoreError::Count { what, expected, actual }) }
}

/// The beginning of a message, of at most [`MESSAGE`] bytes.
fn beginning(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE)]
}

/// The name of a kind of failure, as in other files.
fn name(kind: FailureKind) -> String {
    let name = serde_json::to_value(kind).ok();
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn status(text: &[u8]) -> Option<Status> {
    if text.is_empty() {
        return Some(Status::Done);
    }
    let (kind, message) = std::str::from_utf8(text).ok()?.split_once('\n')?;
    let kind: FailureKind = serde_json::from_value(kind.into()).ok()?;
    Some(Status::failed(kind, message))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::Parsed;

    /// Two evaluations with the same bits, NaN included.
    pub(crate) fn same(a: &Evaluation, b: &Evaluation) -> bool {
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        bits(&a.inputs) == bits(&b.inputs)
            && bits(&a.outputs) == bits(&b.outputs)
            && a.seconds.to_bits() == b.seconds.to_bits()
            && (a.seed, a.worker, a.level, &a.status) == (b.seed, b.worker, b.level, &b.status)
    }

    fn statuses() -> impl Strategy<Value = Status> {
        let kinds = [
            FailureKind::Reported,
            FailureKind::NotFinite,
            FailureKind::Crashed,
            FailureKind::TimedOut,
            FailureKind::BadAnswer,
        ];
        let failed = (prop::sample::select(kinds.to_vec()), ".{0,20}")
            .prop_map(|(kind, message)| Status::failed(kind, message));
        prop_oneof![Just(Status::Done), failed]
    }

    proptest! {
        #[test]
        fn an_evaluation_comes_back_with_all_its_bits(
            inputs in prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 3),
            outputs in prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 2),
            seed: u64, seconds in 0.0..1e6, worker: u32, level: u32, status in statuses(),
        ) {
            let layout = Layout { m: 3, d: 2 };
            let one = Evaluation { inputs, seed, outputs, status, seconds, worker, level };
            let mut bytes = Vec::new();
            layout.write(&mut bytes, &one).unwrap();
            let Parsed::Frame(payload) = layout.parse(&bytes) else { panic!("no frame") };
            prop_assert!(same(&layout.read(payload).unwrap(), &one));
        }
    }

    #[test]
    fn a_long_message_is_cut_and_a_wrong_count_is_refused() {
        let layout = Layout { m: 1, d: 1 };
        let mut one = Evaluation {
            inputs: vec![1.0],
            seed: 1,
            outputs: vec![f64::NAN],
            status: Status::failed(FailureKind::Crashed, "ü".repeat(4000)),
            seconds: 1.0,
            worker: 0,
            level: 0,
        };
        let mut bytes = Vec::new();
        layout.write(&mut bytes, &one).unwrap();
        let Parsed::Frame(payload) = layout.parse(&bytes) else { panic!("no frame") };
        let Status::Failed { message, .. } = layout.read(payload).unwrap().status else {
            panic!("no failure")
        };
        assert_eq!(*message, *"ü".repeat(2048));
        one.inputs.push(0.0);
        let refused = layout.write(&mut bytes, &one).unwrap_err();
        assert_eq!(refused.to_string(), "the model has 1 inputs, the evaluation has 2");
    }
}
