//! `cargo xtask ci`: all checks that a change must pass.

use std::process::Command;

/// Runs the same script as the CI jobs.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    crate::cargo::run(Command::new("bash").arg(".ci/run").current_dir(root))
}
