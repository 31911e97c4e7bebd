//! The program `latent-is`.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use latent_is::verdict::Status;
use runner::{
    commands::{estimate, inspect, metrics, report, train},
    outcomes::{self, Format},
    reproduce::{self, Method, Options, Space},
    resume, simulators,
    system::System,
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
    /// Reproduces the paper's evaluation of a system, or of all three.
    #[command(after_help = "Examples:
  latent-is reproduce
  latent-is reproduce --system robot
  latent-is reproduce --system racecar --trials 100
  latent-is reproduce --system robot --from-scratch --out results/scratch")]
    Reproduce(Reproduce),
    /// Simulates outcomes and writes them to a file; an interrupted run goes on where it was left.
    #[command(after_help = "Examples:
  latent-is simulate robot -n 10000 -o robot.csv
  latent-is simulate f16 -n 1000000 -o f16.npy
  latent-is simulate racing -n 50000 -o racing.npy")]
    Simulate(Simulate),
    /// Trains a flow on outcomes in a file.
    #[command(after_help = "Examples:
  latent-is train --data outcomes.csv -o flow.safetensors
  latent-is train --data outcomes.npy --epochs 100 --jitter 0.02
  latent-is train --data outcomes.csv --resume")]
    Train(train::Args),
    /// Shows what a flow file holds and checks it; exit code 2 when a check fails.
    #[command(after_help = "Examples:
  latent-is inspect flow.safetensors
  latent-is inspect flow.safetensors --data fresh.csv")]
    Inspect(inspect::Args),
    /// Estimates the probability of a failure criterion under a flow.
    #[command(
        after_help = "Exit codes: 0 converged, 1 error, 2 suspect, 3 budget spent, 4 no usable estimate

Examples:
  latent-is estimate --flow flow.safetensors --criterion crash.toml
  latent-is estimate --system racecar --criterion skid.toml --json result.json --samples failures.csv"
    )]
    Estimate(estimate::Args),
    /// Compares sampled failures with simulated ones: density, coverage, likelihood.
    #[command(after_help = "Examples:
  latent-is metrics --real fresh.csv --criterion crash.toml --samples failures.csv --flow flow.safetensors")]
    Metrics(metrics::Args),
    /// Makes one page of HTML from the JSON of an estimate or an evaluation.
    #[command(after_help = "Examples:
  latent-is report result.json
  latent-is report results/robot/results.json -o robot.html")]
    Report(report::Args),
    /// Prints completions for a shell.
    #[command(after_help = "Examples:
  latent-is completions bash > ~/.local/share/bash-completion/completions/latent-is")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Args)]
struct Simulate {
    /// The simulator: robot, racecar or f16.
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
    /// The system: robot, racecar or f16 [default: all of them, one after the other].
    #[arg(long)]
    system: Option<String>,
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
    #[arg(long, value_name = "FILE", requires = "system")]
    experiment: Option<PathBuf>,
    /// Simulate and train anew instead of using the shipped flow.
    #[arg(long)]
    from_scratch: bool,
    /// Use this flow instead of the shipped one.
    #[arg(long, value_name = "FILE", conflicts_with = "from_scratch", requires = "system")]
    flow: Option<PathBuf>,
    /// Folder of the results; a folder named after the system is made in it.
    #[arg(long, value_name = "FOLDER", default_value = "results")]
    out: PathBuf,
    /// Where the flow computes.
    #[arg(long, default_value = flow_core::DEVICES[0])]
    device: String,
}

impl Reproduce {
    /// Runs the evaluation of the system, or of all.
    fn run(self) -> anyhow::Result<()> {
        let systems: Vec<String> = match &self.system {
            Some(system) => vec![system.clone()],
            None => System::names().map(str::to_owned).collect(),
        };
        let options = Options::from(self);
        for system in systems {
            reproduce::run(&Options { system, ..options.clone() })?;
        }
        Ok(())
    }
}

impl From<Reproduce> for Options {
    fn from(args: Reproduce) -> Self {
        Self {
            system: args.system.unwrap_or_default(),
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

/// A reader that closes the pipe, as `head` does, ends the program without a complaint.
fn leave_when_the_pipe_closes() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload().downcast_ref::<String>();
        if message.is_some_and(|m| m.contains("Broken pipe")) {
            std::process::exit(0);
        }
        usual(panic);
    }));
}

fn main() -> ExitCode {
    leave_when_the_pipe_closes();
    let success = ExitCode::SUCCESS;
    let done = match Cli::parse().command {
        Command::Reproduce(args) => args.run().map(|()| success),
        Command::Simulate(args) => simulate(&args).map(|()| success),
        Command::Train(args) => train::run(&args).map(|()| success),
        Command::Inspect(args) => {
            inspect::run(&args).map(|sound| if sound { success } else { ExitCode::from(2) })
        }
        Command::Metrics(args) => metrics::run(&args).map(|()| success),
        Command::Report(args) => report::run(&args).map(|()| success),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "latent-is", &mut std::io::stdout());
            Ok(success)
        }
        Command::Estimate(args) => estimate::run(&args).map(|status| match status {
            Status::Converged => success,
            Status::Suspect => ExitCode::from(2),
            Status::Budget => ExitCode::from(3),
            // A status this program does not know of is no success either.
            _ => ExitCode::from(4),
        }),
    };
    match done {
        Ok(code) => code,
        // The whole chain of causes in one line; a user's mistake needs no backtrace.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
