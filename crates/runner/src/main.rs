//! The program `latent-is`.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use runner::{
    outcomes::{self, Format},
    reproduce::{self, Method, Options, Space},
    resume, simulators,
};

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
  latent-is reproduce --system racecar --trials 100
  latent-is reproduce --system robot --from-scratch --out results/scratch")]
    Reproduce(Reproduce),
    /// Simulates outcomes and writes them to a file; an interrupted run goes on where it was left.
    #[command(after_help = "Examples:
  latent-is simulate robot -n 10000 -o robot.csv
  latent-is simulate gcas -n 1000000 -o f16.npy
  latent-is simulate racing -n 50000 -o racing.npy")]
    Simulate(Simulate),
}

#[derive(Args)]
struct Simulate {
    /// The simulator: robot, gcas or racing.
    simulator: String,
    /// Number of outcomes.
    #[arg(short, long)]
    n: usize,
    /// Seed; the same seed gives the same outcomes, and a longer run begins with a shorter one.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File to write; its ending chooses the format: .npy, .csv or .parquet.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

fn simulate(args: &Simulate) -> anyhow::Result<()> {
    anyhow::ensure!(args.n > 0, "-n must be positive");
    let format = Format::of(&args.out)?;
    let simulator = simulators::by_name(&args.simulator)?;
    let x = resume::simulate(simulator.as_ref(), args.n, args.seed, &args.out)?;
    let lost = x.column_iter().filter(|outcome| outcome.iter().any(|v| v.is_nan())).count();
    outcomes::write(&args.out, format, simulator.features(), &x)?;
    std::fs::remove_file(resume::part_path(&args.out))?;
    if lost > 0 {
        eprintln!("{lost} outcomes could not be finished; they are NaN");
    }
    println!("{} outcomes of {} features in {}", x.ncols(), x.nrows(), args.out.display());
    Ok(())
}

#[derive(Args)]
struct Reproduce {
    /// The system: robot or racecar.
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

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Reproduce(args) => reproduce::run(&args.into()).map(drop),
        Command::Simulate(args) => simulate(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The whole chain of causes in one line; a user's mistake needs no backtrace.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
