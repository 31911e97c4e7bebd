//! What the program writes: files that are replaced as a whole, and progress on the terminal.

pub mod file;
pub mod progress;
