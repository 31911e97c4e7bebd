//! `latent-is simulate`: outcomes of a system, or of a model, in a file.

use std::path::PathBuf;

use crate::{
    commands::{simulate_model, store_options::StoreOptions},
    outcomes::{self, Format, shape::TableShape},
    output::{
        interrupt,
        outputs::Outputs,
        terminal::{print_line, print_note},
    },
    simulation::{
        part_file::{PartFile, part_path, remove_part},
        simulate, unfinished,
    },
    systems::system::System,
};

/// Simulates outcomes and writes them to a file.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The system: robot, racecar or f16.
    #[arg(required_unless_present = "model")]
    system: Option<String>,
    /// Run this simulator, a model file in TOML, instead of a system; the file then has inputs and seeds too.
    #[arg(long, value_name = "FILE", conflicts_with = "system")]
    model: Option<PathBuf>,
    #[command(flatten)]
    store: StoreOptions,
    /// Number of outcomes.
    #[arg(short, long)]
    n: usize,
    /// Seed. The same seed gives the same outcomes; a longer run begins with the outcomes of a shorter
    /// one.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File to write; its extension selects the format: .csv, .parquet, .arrow or .npy.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When an argument is invalid or a file cannot be written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(args.n > 0, "-n must be positive");
    if let Some(path) = &args.model {
        return simulate_model::run(path, args.n, args.seed, &args.out, &args.store);
    }
    args.store.refuse()?;
    let format = Format::to_write(&args.out)?;
    let system = System::by_name(args.system.as_deref().unwrap_or_default())?;
    let simulator = system.simulator();
    // Before the part file is made.
    TableShape::in_memory(args.n, simulator.dim())?;
    let _outputs = Outputs::claim(&[], &[&args.out], &[&part_path(&args.out)])?;
    let part = PartFile::open(&args.out, simulator.as_ref(), args.seed)?;
    let kept = part_path(&args.out).display().to_string();
    interrupt::set_next(move || {
        format!("finished outcomes are in {kept}; run the same command again to go on")
    });
    let label = format!("simulating {}", system.name);
    let x = simulate(simulator.as_ref(), args.n, args.seed, &label, Some(part))?;
    outcomes::write(&args.out, format, &system.feature_names(), &x)?;
    remove_part(&args.out)?;
    let nan = unfinished(&x);
    if nan > 0 {
        print_note!("{nan} outcomes are NaN: the simulator could not finish them");
    }
    print_line!(
        "{} outcomes of {} features written to {}",
        x.ncols(),
        x.nrows(),
        args.out.display()
    );
    Ok(())
}
