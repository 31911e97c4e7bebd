#![doc = include_str!("../README.md")]

mod checksum;
mod claim;
mod held;
mod litter;
mod replace;
mod same;
mod target;

pub use checksum::{PLACEHOLDER, digest, seal, verify};
pub use claim::Claim;
pub use held::abandon;
pub use replace::{check_writable, replace, write};
pub use same::same_file;
