//! The program `latent-is`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use runner::reproduce::{self, Method, Options, Space};

/// How likely is it that an autonomous system fails?
#[derive(Parser)]
#[command(name = "latent-is", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reproduces the paper's evaluation of a system.
    #[command(after_help = "Examples:
  latent-is reproduce --system robot
  latent-is reproduce --system robot --trials 100
  latent-is reproduce --system robot --from-scratch --out results/scratch")]
    Reproduce(Reproduce),
}

#[derive(Args)]
struct Reproduce {
    /// The system: robot.
    #[arg(long, default_value = "robot")]
    system: String,
    /// Trials a row [default: 20; the paper's: 100].
    #[arg(long)]
    trials: Option<usize>,
    /// Five trials a row.
    #[arg(long, conflicts_with = "trials")]
    quick: bool,
    /// Seed of simulations and searches [default: 1].
    #[arg(long)]
    seed: Option<u64>,
    /// Only this search.
    #[arg(long)]
    method: Option<Method>,
    /// Only this space.
    #[arg(long)]
    space: Option<Space>,
    /// Use this experiment file instead of the shipped one.
    #[arg(long, value_name = "FILE")]
    experiment: Option<PathBuf>,
    /// Simulate and train anew instead of using the shipped flow.
    #[arg(long)]
    from_scratch: bool,
    /// Use this flow instead of the shipped one.
    #[arg(long, value_name = "FILE", conflicts_with = "from_scratch")]
    flow: Option<PathBuf>,
    /// Folder of the results; a folder named after the system is made in it.
    #[arg(long, value_name = "FOLDER", default_value = "results")]
    out: PathBuf,
    /// Where the flow computes.
    #[arg(long, default_value = flow_core::DEVICES[0])]
    device: String,
}

impl From<Reproduce> for Options {
    fn from(args: Reproduce) -> Self {
        Self {
            system: args.system,
            trials: args.trials.or(args.quick.then_some(5)),
            seed: args.seed,
            experiment: args.experiment,
            from_scratch: args.from_scratch,
            flow: args.flow,
            method: args.method,
            space: args.space,
            out: args.out,
            device: args.device,
        }
    }
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Reproduce(args) => reproduce::run(&args.into()).map(drop),
    }
}
