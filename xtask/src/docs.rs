//! `cargo xtask docs`: the pages of all public items, with equations.

use std::{ffi::OsString, path::Path};

use anyhow::Context;
use clap::Args;

/// What KaTeX consists of, in `docs/katex`.
const KATEX: [&str; 3] = ["katex.min.js", "auto-render.min.js", "katex.min.css"];

#[derive(Args)]
pub(crate) struct Options {
    /// Opens the pages in a browser.
    #[arg(long)]
    open: bool,
}

/// Runs `cargo doc` with the header that draws equations, and puts KaTeX beside the pages.
///
/// The header cannot stand in `.cargo/config.toml`: cargo documents a dependency from its own folder,
/// where a relative path leads nowhere.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let katex = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/katex").canonicalize()?;
    let pages = crate::cargo::target_directory()?.join("doc");
    let beside = pages.join("katex");
    std::fs::create_dir_all(&beside)
        .with_context(|| format!("cannot make {}", beside.display()))?;
    for file in KATEX {
        let from = katex.join(file);
        std::fs::copy(&from, beside.join(file))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let mut command = crate::cargo::cargo(&["doc", "--workspace", "--no-deps"]);
    if options.open {
        command.arg("--open");
    }
    // The encoded form takes paths with spaces.
    let mut flags = OsString::from("--html-in-header\x1f");
    flags.push(katex.join("header.html"));
    for flag in std::env::var("RUSTDOCFLAGS").unwrap_or_default().split_whitespace() {
        flags.push("\x1f");
        flags.push(flag);
    }
    crate::cargo::run(command.env("CARGO_ENCODED_RUSTDOCFLAGS", flags))
}
