//! `cargo xtask ci`: what must hold before a change lands.

use std::process::Command;

/// Runs the script that CI runs.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    crate::cargo::run(Command::new("bash").arg(".ci/run").current_dir(root))
}
