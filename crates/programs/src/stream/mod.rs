//! Programs that read one JSON line per sample and write one.

mod message;
mod worker;

pub(crate) use message::Messages;
pub(crate) use worker::StreamWorker;
