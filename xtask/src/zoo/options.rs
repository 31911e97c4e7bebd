//! Options of `cargo xtask zoo`.

use std::path::PathBuf;

/// Options of the command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Methods, for example `ce,sis-paper` [default: all].
    #[arg(long)]
    pub(super) methods: Option<String>,
    /// Problems, for example `linear-2,warp-2` [default: all].
    #[arg(long)]
    pub(super) problems: Option<String>,
    /// Runs per method and problem.
    #[arg(long, default_value_t = 50)]
    pub(super) reps: u64,
    /// Folder of the cells and the tables. Finished cells in it are reused.
    #[arg(long, default_value = "results/zoo")]
    pub(super) out: PathBuf,
}
