//! `latent-is reproduce`: the evaluation of the paper.

use std::path::{Path, PathBuf};

use crate::{
    commands::with_simulator,
    estimation::method::{MethodKind, Space},
    figures::{self, samples::samples},
    output::{interrupt, outputs::Outputs, terminal::print_line},
    report,
    reproduce::evaluation::{Evaluation, EvaluationOptions},
    systems::system::System,
};

/// Reproduces the evaluation of the paper.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The system: robot, racecar or f16 [default: all three].
    #[arg(long)]
    system: Option<String>,
    /// Trials per row [default: 20; the paper has 100].
    #[arg(long)]
    trials: Option<usize>,
    /// Five trials per row.
    #[arg(long, conflicts_with = "trials")]
    quick: bool,
    /// Seed of simulations and estimators [default: 1].
    #[arg(long)]
    seed: Option<u64>,
    /// Only this estimator.
    #[arg(long)]
    method: Option<MethodKind>,
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
    /// Ask the simulator as well: the certified probability, and that under a flow that knows the tail.
    #[arg(long)]
    with_simulator: bool,
    /// Runs of the simulator for it, at most.
    #[arg(long, value_name = "N", default_value_t = 100_000, requires = "with_simulator")]
    runs: u64,
    /// Folder of the results. Each system has its own folder in it.
    #[arg(long, value_name = "FOLDER", default_value = "results")]
    out: PathBuf,
    /// Device that computes the flow.
    #[arg(long, default_value = flow_core::DEVICES[0])]
    device: String,
}

/// Runs the evaluation of one system or of all systems.
///
/// # Errors
/// When an argument is invalid, a file cannot be read or written, or an estimator fails.
pub fn run(args: Args) -> anyhow::Result<()> {
    let systems: Vec<String> = match &args.system {
        Some(system) => vec![system.clone()],
        None => System::names().map(str::to_owned).collect(),
    };
    let runs = args.with_simulator.then_some(args.runs);
    let options = EvaluationOptions::from(args);
    let mut finished = Vec::new();
    for system in systems {
        finished.push(evaluate(&EvaluationOptions { system, ..options.clone() }, runs)?);
    }
    // Not before all systems are done: the same command then repeats none of them.
    finished.into_iter().try_for_each(Evaluation::finish)
}

/// Runs one evaluation, prints its tables and writes its files. Its finished trials are still kept.
fn evaluate(options: &EvaluationOptions, runs: Option<u64>) -> anyhow::Result<Evaluation> {
    let folder = options.out.join(System::by_name(&options.system)?.name);
    let mut files: Vec<PathBuf> = report::FILES.iter().map(|name| folder.join(name)).collect();
    if runs.is_some() {
        files.extend(with_simulator::files(&folder));
    }
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let inputs: Vec<&Path> =
        [&options.experiment, &options.flow].into_iter().flatten().map(PathBuf::as_path).collect();
    // A claim on the first file stands for the folder.
    let _outputs = Outputs::claim(&inputs, &files[..1], &files[1..])?;
    let kept = folder.display().to_string();
    interrupt::set_next(move || {
        format!("what is finished is in {kept}; run the same command again to go on")
    });
    let evaluation = Evaluation::prepare(options)?;
    if evaluation.trials_done() > 0 {
        print_line!("{} trials were finished before", evaluation.trials_done());
    }
    let results = evaluation.run()?;
    let found = evaluation.sampled_failures()?;
    let picture = samples(evaluation.setup(), &results.system, &found)?;
    report::write_all(&results, evaluation.folder())?;
    figures::write(evaluation.folder(), "samples", &picture)?;
    print_line!("{}", report::terminal(&results));
    if let Some(runs) = runs {
        let device = flow_core::device(&options.device)?;
        let seed = results.experiment.seed;
        let table = with_simulator::with_simulator(&evaluation, &results, (runs, seed), &device)?;
        print_line!("{}", table.terminal());
    }
    print_line!("results written to {}", folder.display());
    Ok(evaluation)
}

impl From<Args> for EvaluationOptions {
    fn from(args: Args) -> Self {
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
