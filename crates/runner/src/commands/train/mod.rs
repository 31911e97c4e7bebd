//! `latent-is train`: a flow from a file of outcomes.

mod data;
mod dependence;

use std::path::PathBuf;

use flow_core::{
    Checkpoint, Device, FlowConfig, FlowFile, Health, TrainSettings, fit_resumable,
    train::{Jitter, Schedule},
};

use crate::{
    commands::{
        features::{FEATURES, read_outcomes, stored_names},
        marginals::{NamedChoice, choices, print_choices},
        train::{data::TrainingData, dependence::report_dependence},
    },
    outcomes::{
        options::ReadOptions,
        text::{listed, shown},
    },
    output::{
        interrupt,
        outputs::Outputs,
        terminal::{print, print_line, print_note},
    },
    training::{
        checks::{self, CHECKS},
        ensemble::{self, train_members},
        finished::finished,
        progress::TrainingProgress,
    },
};

/// Trains a flow on outcomes in a file.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Outcomes, one per row: .csv (with a line of feature names), .parquet, .arrow, .npy or .npz.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// File of the flow to write.
    #[arg(short, long, value_name = "FILE", default_value = "flow.safetensors")]
    out: PathBuf,
    /// Resume from the checkpoint of an interrupted run.
    #[arg(long)]
    resume: bool,
    /// Width of the conditioner networks.
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    /// Number of spline layers.
    #[arg(long, default_value_t = 6)]
    steps: usize,
    /// Half-width of the interval on which the splines act, in standard deviations.
    #[arg(long, default_value_t = 4.0)]
    tail_bound: f64,
    /// Largest number of passes over the data.
    #[arg(long, default_value_t = 50)]
    epochs: usize,
    /// Rows per step.
    #[arg(long, default_value_t = 256)]
    batch_size: usize,
    /// Learning rate.
    #[arg(long, default_value_t = 2e-3)]
    learning_rate: f64,
    /// Standard deviation of noise on the data, in standardised units, for data with point masses or on
    /// a surface. One number, or one number per feature separated by commas.
    #[arg(long, default_value = "0", value_delimiter = ',')]
    jitter: Vec<f64>,
    /// Factor of the noise at the start of training.
    #[arg(long, default_value_t = 1.0)]
    jitter_start: f64,
    /// Decay of the moving average of the weights; 0 for no average.
    #[arg(long, default_value_t = 0.99)]
    average: f64,
    /// Training stops after this many epochs without a better held-out likelihood.
    #[arg(long, default_value_t = 8)]
    patience: usize,
    /// The map of a feature to a normal scale, as NAME=CHOICE, or one for all features that are not named: auto,
    /// affine, quantile, positive, integer, bounded:LOW:HIGH or periodic:PERIOD; separated by commas
    /// [default: auto].
    #[arg(long, value_name = "NAME=CHOICE", value_delimiter = ',')]
    marginal: Vec<NamedChoice>,
    /// Train a flow of these features alone, for outcomes on a surface: all other features are regressed on them,
    /// from outcomes kept in the flow file.
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "no_keep_data")]
    free: Vec<String>,
    /// Number of further flows, each trained on a random half of the outcomes: their spread is the error of the
    /// flow. 0 for none [default: 5 where the training is short, otherwise 0].
    #[arg(long, value_name = "K")]
    ensemble: Option<usize>,
    /// Do not keep outcomes in the flow file. Estimates then cannot tell which events are beyond the data.
    #[arg(long)]
    no_keep_data: bool,
    /// Seed of the weights, the split, the order of the data and the noise.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Device that computes the flow.
    #[arg(long, default_value = flow_core::DEVICES[0])]
    device: String,
    #[command(flatten)]
    read: ReadOptions,
}

/// Runs the command. Returns whether the flow passed its checks.
///
/// # Errors
/// When the data or a setting is invalid, or a file cannot be read or written.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let device = flow_core::device(&args.device)?;
    let mut name = args.out.clone().into_os_string();
    name.push(".ckpt");
    let checkpoint = Checkpoint::new(name);
    let _outputs = Outputs::claim(&[&args.data], &[&args.out], &[&checkpoint.path])?;
    let table = read_outcomes(&args.data, &args.read)?;
    let (d, n) = table.x.shape();
    print_line!(
        "{n} outcomes of {d} features in {}: {}",
        args.data.display(),
        listed(&table.names, ", ")
    );
    let data = TrainingData::new(table, &args.free)?;
    let table = &data.table;
    let d = table.x.nrows();
    anyhow::ensure!(
        n > d,
        "{n} outcomes are too few for {d} features; there must be more outcomes than features"
    );
    if args.jitter.iter().all(|sd| *sd == 0.0) && !data.is_reduced() {
        report_dependence(table);
    }
    let config = FlowConfig::builder(d)
        .hidden(args.hidden)
        .steps(args.steps)
        .tail_bound(args.tail_bound)
        .batch_norm(false)
        .build()?;
    let marginals = choices(&args.marginal, &table.names)?;
    print_choices(table, &marginals).map_err(|error| named(error, args, &table.names))?;
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
        .marginals(marginals)
        .build()?;
    let batch = settings.rows_per_step(n);
    if batch < args.batch_size {
        print_note!(
            "--batch-size {} is more than the {batch} training rows; each step takes all of them",
            args.batch_size
        );
    }
    if !args.resume {
        anyhow::ensure!(
            !checkpoint.path.exists(),
            "{} is the checkpoint of an interrupted run; resume from it with --resume or remove it",
            checkpoint.path.display()
        );
    }
    let members = ensemble::members(args.ensemble, &config, &settings, n)?;
    let x = table.x.as_view();
    let earlier =
        args.resume.then(|| finished(&args.out, &config, &settings, x, &device)).flatten();
    let (mut file, health) = match earlier {
        Some(file) => {
            print_line!("{} is trained already", args.out.display());
            let health = Health::examine(&file.flow, None)?;
            (file, health)
        }
        None => train(args, &data, &config, &settings, &device, &checkpoint)?,
    };
    if file.members.len() < members {
        interrupt::set_next(|| {
            "the flow is written; the training of its ensemble goes on with --resume".to_owned()
        });
        train_members(&mut file, members, x, &device, &checkpoint, &args.out).map_err(|error| {
            match error.downcast() {
                Ok(error) => named(error, args, &table.names),
                Err(error) => error,
            }
        })?;
    }
    let record = &file.record;
    let (epoch, epochs) = (record.epoch, record.losses.len());
    if let Some(held_out) = epoch.checked_sub(1).and_then(|epoch| record.held_out.get(epoch)) {
        print_line!(
            "held-out log-likelihood {held_out:.4} in standardised units, at epoch {epoch} of {epochs}"
        );
    }
    print(&health.to_string());
    let members = file.members.len();
    if members > 0 {
        print_line!("an ensemble of {members} flows of random halves of the outcomes was added");
    }
    print_line!("flow written to {}", args.out.display());
    Ok(health.passed())
}

/// Trains the flow, examines it and writes it.
fn train(
    args: &Args,
    data: &TrainingData,
    config: &FlowConfig,
    settings: &TrainSettings,
    device: &Device,
    checkpoint: &Checkpoint,
) -> anyhow::Result<(FlowFile, Health)> {
    let table = &data.table;
    let kept = checkpoint.path.clone();
    interrupt::set_next(move || {
        if kept.exists() {
            format!("the training goes on from {} with --resume", kept.display())
        } else {
            "nothing was written yet; run the command again".to_owned()
        }
    });
    let mut observer = TrainingProgress::new("training the flow");
    let result =
        fit_resumable(table.x.as_view(), config, settings, device, &mut observer, checkpoint);
    let trained = result.map_err(|error| named(error, args, &table.names))?;
    let mut record = trained.record;
    let health = Health::examine(&trained.flow, None)?;
    record.provenance = [
        (FEATURES, stored_names(data.names())),
        (CHECKS, checks::result(&health)),
        ("data", args.data.display().to_string()),
        ("command", "train".to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let file = FlowFile::new(trained.flow, record);
    let file = data.complete(file, !args.no_keep_data)?;
    file.save(&args.out)?;
    Ok((file, health))
}

/// Names the feature or the option in an error.
fn named(error: flow_core::FlowError, args: &Args, names: &[String]) -> anyhow::Error {
    use flow_core::FlowError::{ConstantFeature, Diverged, Marginal, NotFinite, TooFewRows};
    match &error {
        ConstantFeature { feature, value } => {
            anyhow::anyhow!(
                "`{}` is constant ({value}) in the data; remove this feature",
                names[*feature]
            )
        }
        NotFinite { row, feature, value } => anyhow::anyhow!(
            "outcome {row}: `{}` is {value}; remove or correct rows with NaN or infinity",
            names[*feature]
        ),
        TooFewRows { rows, needed } => anyhow::anyhow!(
            "--data {} has {rows} outcomes, at least {needed} are needed to train a flow",
            args.data.display()
        ),
        Marginal { feature, reason } => {
            let name = shown(&names[*feature]);
            anyhow::anyhow!(
                "`{name}`: {reason}; choose another map, for example --marginal {name}=affine"
            )
        }
        Diverged { .. } => anyhow::anyhow!(
            "{error}; no flow was written (--learning-rate was {})",
            args.learning_rate
        ),
        _ => error.into(),
    }
}
