//! Tasks of the workspace, run as `cargo xtask …`.

mod cargo;
mod ci;
mod docs;
mod peers;
mod reproduce;
mod zoo;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of the workspace")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs all checks: formatting, lints, documentation and tests.
    Ci,
    /// Builds the documentation of all public items, with equations.
    Docs(docs::Options),
    /// Times our programs and other programs on the same work, one after the other.
    Peers(peers::Options),
    /// Runs the estimators on problems with known answers and compares them with other programs.
    Zoo(zoo::options::Options),
    /// Builds the program and reproduces the evaluation of the paper. Options are passed to
    /// `latent-is reproduce`, except `--features` (for example `wgpu`), which is passed to the build.
    #[command(disable_help_flag = true)]
    Reproduce {
        /// Options of `latent-is reproduce`; `--help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Ci => ci::run(),
        Task::Docs(options) => docs::run(&options),
        Task::Peers(options) => peers::run(&options),
        Task::Zoo(options) => zoo::run(&options),
        Task::Reproduce { options } => reproduce::run_with(options),
    }
}
