//! What the program writes: files that are replaced as a whole, text and progress on the terminal.
//!
//! | module | contents |
//! | --- | --- |
//! | [`file`](mod@file) | files that are replaced as a whole |
//! | [`interrupt`] | Ctrl-C: what is left, and how to go on |
//! | [`outputs`] | the claims on the files of a command |
//! | [`terminal`] | printing that does not end the work, messages of one line |
//! | [`progress`] | progress of long work |

pub mod file;
pub mod interrupt;
pub mod number;
pub mod outputs;
pub mod progress;
pub(crate) mod tensors;
pub mod terminal;
pub(crate) mod toml_error;
