//! `latent-is train`: a flow from a file of outcomes.

use std::path::PathBuf;

use flow_core::{
    Checkpoint, FlowConfig, FlowFile, Health, TrainSettings, fit_resumable,
    train::{Jitter, Schedule},
};

use super::FEATURES;
use crate::{reading, training::TrainingProgress};

/// Trains a flow on outcomes in a file.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Outcomes, one a row: .npy, .csv (with a line of feature names) or .parquet.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The flow to write.
    #[arg(short, long, value_name = "FILE", default_value = "flow.safetensors")]
    out: PathBuf,
    /// Go on from the checkpoint of an interrupted run.
    #[arg(long)]
    resume: bool,
    /// Width of the networks.
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    /// Spline layers.
    #[arg(long, default_value_t = 6)]
    steps: usize,
    /// The splines act on this many standard deviations to each side.
    #[arg(long, default_value_t = 4.0)]
    tail_bound: f64,
    /// Passes over the rows, at most.
    #[arg(long, default_value_t = 50)]
    epochs: usize,
    /// Rows a step.
    #[arg(long, default_value_t = 256)]
    batch_size: usize,
    /// Learning rate.
    #[arg(long, default_value_t = 2e-3)]
    learning_rate: f64,
    /// Noise on the rows, in standard deviations; for point masses and surfaces. One number, or one for
    /// each feature with commas between.
    #[arg(long, default_value = "0", value_delimiter = ',')]
    jitter: Vec<f64>,
    /// How many times as large the noise is at first.
    #[arg(long, default_value_t = 1.0)]
    jitter_start: f64,
    /// Decay of the average of the weights; 0 for none.
    #[arg(long, default_value_t = 0.99)]
    average: f64,
    /// Epochs without a better held-out likelihood before training stops.
    #[arg(long, default_value_t = 8)]
    patience: usize,
    /// Seed of weights, split, order and noise.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the flow computes.
    #[arg(long, default_value = flow_core::DEVICES[0])]
    device: String,
}

/// Runs the command.
///
/// # Errors
/// When the data or a setting cannot be used or a file cannot be read or written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let device = flow_core::device(&args.device)?;
    let table = reading::read(&args.data)?;
    let (d, n) = table.x.shape();
    println!("{n} outcomes of {d} features in {}: {}", args.data.display(), table.names.join(", "));
    anyhow::ensure!(n > d, "{n} outcomes are too few for {d} features; more rows are needed");
    let config = FlowConfig::builder(d)
        .hidden(args.hidden)
        .steps(args.steps)
        .tail_bound(args.tail_bound)
        .batch_norm(false)
        .build()?;
    let jitter = match args.jitter[..] {
        [same] => Jitter::Same(same),
        _ => Jitter::Each(args.jitter.clone()),
    };
    let settings = TrainSettings::builder()
        .epochs(args.epochs)
        .batch_size(args.batch_size)
        .learning_rate(args.learning_rate)
        .schedule(Schedule::Cosine)
        .warm_up(0.02)
        .jitter(jitter)
        .jitter_start(args.jitter_start)
        .average(args.average)
        .patience(Some(args.patience))
        .seed(args.seed)
        .build()?;
    let mut name = args.out.clone().into_os_string();
    name.push(".ckpt");
    let checkpoint = Checkpoint::new(name);
    if !args.resume {
        anyhow::ensure!(
            !checkpoint.path.exists(),
            "{} is the checkpoint of an interrupted run: --resume goes on from it, or remove it",
            checkpoint.path.display()
        );
    }
    let mut observer = TrainingProgress::default();
    let result =
        fit_resumable(table.x.as_view(), &config, &settings, &device, &mut observer, &checkpoint);
    let trained = result.map_err(|error| named(error, &table.names))?;
    let mut record = trained.record;
    record.provenance = [
        (FEATURES, table.names.join(",")),
        ("data", args.data.display().to_string()),
        ("command", "train".to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let (epoch, epochs) = (record.epoch, record.losses.len());
    let held_out = record.held_out.get(epoch - 1).copied();
    let file = FlowFile { flow: trained.flow, record };
    file.save(&args.out)?;
    if let Some(held_out) = held_out {
        println!(
            "held-out log-likelihood {held_out:.4} in standardised units, epoch {epoch} of {epochs}"
        );
    }
    print!("{}", Health::examine(&file.flow, None)?);
    println!("flow written to {}", args.out.display());
    Ok(())
}

/// The error with the name of the feature it is about.
fn named(error: flow_core::FlowError, names: &[String]) -> anyhow::Error {
    use flow_core::FlowError::{ConstantFeature, NotFinite};
    match &error {
        ConstantFeature { feature, value } => {
            anyhow::anyhow!("`{}` is constant ({value}) in the data; leave it out", names[*feature])
        }
        NotFinite { row, feature, value } => anyhow::anyhow!(
            "outcome {row}: `{}` is {value}; remove or repair rows that are not finite",
            names[*feature]
        ),
        _ => error.into(),
    }
}
