//! Programs that read one JSON line per sample and write one.

mod message;
mod worker;

pub(crate) use message::{Messages, bad, finite};
pub(crate) use worker::StreamWorker;
