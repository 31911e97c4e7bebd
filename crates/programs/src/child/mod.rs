//! Programs as child processes.

mod groups;
mod lines;
mod process;
mod signals;
mod tail;

pub use groups::abandon;
pub(crate) use lines::{Line, lines};
pub(crate) use process::{Process, Program};
pub(crate) use tail::Tail;
