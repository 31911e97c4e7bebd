#![doc = include_str!("../README.md")]

mod append;
mod columns;
mod each;
mod error;
mod evaluation;
mod frame;
mod header;
mod identity;
mod index;
mod memo;
mod place;
mod reader;
mod record;
mod scan;
mod store;
mod syncer;

pub use columns::Columns;
pub use each::{Chunks, EvaluateEach, Finished, Report, in_order};
pub use error::StoreError;
pub use evaluation::Evaluation;
pub use identity::Identity;
pub use memo::Memo;
pub use reader::Reader;
pub use store::{Opened, Store};
