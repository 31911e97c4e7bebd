//! The program `latent-is`.

use std::{ffi::OsString, io::ErrorKind, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use latent_is::verdict::Status;
use latent_is_runner::{
    commands::{
        check, estimate, inspect, metrics, replay, report, reproduce, simulate, store, study, train,
    },
    output::{interrupt, terminal},
};

const EXIT_CODES: &str = "Exit codes:
  0    done
  1    error
  2    a check or a diagnostic failed, or an estimate is an extrapolation (train, inspect, estimate,
       study, check, replay)
  3    the budget was spent before the target precision (estimate, study)
  4    no usable estimate (estimate, study)
  130  interrupted";

/// Failure probabilities of autonomous systems by importance sampling in the latent space of
/// normalizing flows.
#[derive(Parser)]
#[command(name = "latent-is", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    /// Print errors in full, with excerpts of files and all causes.
    #[arg(long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reproduces the evaluation of the paper for one system or for all three.
    #[command(after_help = "An interrupted run resumes when the same command is run again.

Examples:
  latent-is reproduce
  latent-is reproduce --system robot
  latent-is reproduce --system racecar --trials 100
  latent-is reproduce --system robot --from-scratch --out results/scratch")]
    Reproduce(reproduce::Args),
    /// Runs a model twice and shows its inputs, its outputs and what it takes.
    #[command(
        after_help = "Exit codes: 0 the model works, 1 error, 2 it has no outcome, or another one for the same seed

Examples:
  latent-is check brake.toml"
    )]
    Check(check::Args),
    /// Runs one failure of a model again, with its inputs and its seed.
    #[command(
        after_help = "Exit codes: 0 the outcome is equal to the last bit, 1 error, 2 it is not

Examples:
  latent-is replay failures.csv --model brake.toml --row 3
  latent-is replay failures.csv --model aircraft.toml --trajectory flight.svg"
    )]
    Replay(replay::Args),
    /// Shows what a store of evaluations of a model holds, and writes them to a file.
    #[command(after_help = "Examples:
  latent-is store brake.store
  latent-is store brake.store -o evaluations.parquet")]
    Store(store::Args),
    /// Simulates outcomes of a system or of a model and writes them to a file.
    #[command(after_help = "An interrupted run resumes when the same command is run again.

Examples:
  latent-is simulate robot -n 10000 -o robot.csv
  latent-is simulate f16 -n 1000000 -o f16.npy
  latent-is simulate racecar -n 50000 -o racecar.parquet
  latent-is simulate --model brake.toml -n 10000 -o brake.csv")]
    Simulate(simulate::Args),
    /// Trains a flow on outcomes in a file.
    #[command(
        after_help = "Exit codes: 0 all checks of the flow passed, 1 error, 2 at least one check failed

Examples:
  latent-is train --data outcomes.csv -o flow.safetensors
  latent-is train --data outcomes.npy --epochs 100 --jitter 0.02
  latent-is train --data outcomes.csv --resume"
    )]
    Train(train::Args),
    /// Shows the contents of a flow file and checks the flow.
    #[command(after_help = "Exit codes: 0 all checks passed, 1 error, 2 at least one check failed

Examples:
  latent-is inspect flow.safetensors
  latent-is inspect flow.safetensors --data fresh.csv")]
    Inspect(inspect::Args),
    /// Estimates the probability of a failure criterion: that of a model, or under a flow.
    #[command(
        after_help = "Exit codes: 0 converged, 1 error, 2 suspect or extrapolated, 3 budget spent, 4 no usable estimate

Examples:
  latent-is estimate --model brake.toml --criterion crash.toml --samples failures.csv
  latent-is estimate --model brake.toml --fails-if \"distance >= 75\"
  latent-is estimate --flow flow.safetensors --criterion crash.toml
  latent-is estimate --system racecar --criterion skid.toml --json result.json --samples failures.csv"
    )]
    Estimate(estimate::Args),
    /// Finds the certified failure probability of a model and a flow that knows the tail, in a folder that answers
    /// for other criteria.
    #[command(after_help = "An interrupted study goes on when the same command is run again.

Exit codes: 0 certified, 1 error, 2 suspect, 3 budget spent, 4 no usable estimate

Examples:
  latent-is study --model brake.toml --criterion crash.toml --runs 100000 -o study
  latent-is estimate --study study --fails-if \"distance >= 80\"
  latent-is report study/study.json")]
    Study(study::Args),
    /// Compares sampled failures with simulated ones: density, coverage, likelihood.
    #[command(after_help = "Examples:
  latent-is metrics --real fresh.csv --criterion crash.toml --samples failures.csv --flow flow.safetensors")]
    Metrics(metrics::Args),
    /// Makes one HTML page from the JSON file of an estimate or of an evaluation.
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

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let verbose = cli.verbose;
    interrupt::install();
    // Standard output may have failed without an error of the work.
    match run(cli.command).and_then(|code| terminal::finish().map(|()| code)) {
        Ok(code) => code,
        // A mistake of the user needs no backtrace.
        Err(error) => fail(&error, verbose),
    }
}

fn fail(error: &anyhow::Error, verbose: bool) -> ExitCode {
    terminal::note(&format!("error: {}", terminal::message(error, verbose)));
    ExitCode::FAILURE
}

/// Prints the help, the version or what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    let printable =
        |argument: OsString| argument.to_str().is_some_and(|text| terminal::escaped(text) == text);
    let printed = if std::env::args_os().all(printable) {
        error.print()
    } else {
        // The message repeats arguments, and colours would be escaped with them.
        terminal::note(error.render().to_string().trim_end());
        Ok(())
    };
    match printed {
        // Code 2 of clap has another meaning here.
        _ if error.use_stderr() => ExitCode::FAILURE,
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            fail(&anyhow::Error::new(error).context("cannot write to standard output"), false)
        }
        _ => ExitCode::SUCCESS,
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let success = ExitCode::SUCCESS;
    Ok(match command {
        Command::Reproduce(args) => reproduce::run(args).map(|()| success)?,
        Command::Simulate(args) => simulate::run(&args).map(|()| success)?,
        Command::Store(args) => store::run(&args).map(|()| success)?,
        Command::Metrics(args) => metrics::run(&args).map(|()| success)?,
        Command::Report(args) => report::run(&args).map(|()| success)?,
        Command::Train(args) => passed(train::run(&args)?),
        Command::Inspect(args) => passed(inspect::run(&args)?),
        Command::Check(args) => passed(check::run(&args)?),
        Command::Replay(args) => passed(replay::run(&args)?),
        Command::Estimate(args) => status(estimate::run(&args)?),
        Command::Study(args) => status(study::run(&args)?),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command, "latent-is", &mut text);
            terminal::print(&String::from_utf8_lossy(&text));
            success
        }
    })
}

/// The exit code of a command that estimates a probability.
fn status(status: Status) -> ExitCode {
    match status {
        Status::Converged => ExitCode::SUCCESS,
        Status::Suspect | Status::Extrapolated => ExitCode::from(2),
        Status::Budget => ExitCode::from(3),
        // `Failed`, and any status that a later version adds.
        _ => ExitCode::from(4),
    }
}

/// The exit code of a command that checks something.
fn passed(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
