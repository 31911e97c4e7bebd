//! `latent-is metrics`: comparison of sampled failures with simulated ones.

use std::path::{Path, PathBuf};

use flow_core::{FlowFile, bijection::Standardise};
use latent_is::{LimitState, metrics::KnnReference};
use nalgebra::DMatrix;
use serde::Serialize;

use crate::{
    commands::{
        criterion_options::CriterionOptions,
        features::{feature_names, in_order_of, read_outcomes, refuse_tilted, weight_column},
    },
    criterion::FailureCriterion,
    outcomes::{options::ReadOptions, table::OutcomeTable},
    output::{file, outputs::Outputs, terminal::print_line},
};

/// Compares sampled failures with simulated ones: density, coverage, likelihood. With a criterion, only outcomes
/// and samples that fail are used.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Simulated failures, or with --criterion any simulated outcomes: .csv, .parquet, .arrow,
    /// .npy or .npz.
    #[arg(long, value_name = "FILE")]
    real: PathBuf,
    /// Sampled failures, as `estimate --samples` writes them. The column of their weights is ignored.
    #[arg(long, value_name = "FILE")]
    samples: PathBuf,
    /// A flow: its moments standardise the features, and NLL is that of the samples under this flow.
    #[arg(long, value_name = "FILE")]
    flow: Option<PathBuf>,
    #[command(flatten)]
    criterion: CriterionOptions,
    /// Number of neighbours in density and coverage.
    #[arg(long, default_value_t = 5)]
    neighbours: usize,
    /// Write the metrics to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// For --real.
    #[command(flatten)]
    read: ReadOptions,
}

/// The contents of the file that `--json` writes.
#[derive(Debug, Serialize)]
struct MetricsRecord {
    real: usize,
    samples: usize,
    density: f64,
    coverage: f64,
    /// Mean of −ln p of the samples under the flow, in standardised units.
    nll: Option<f64>,
    /// Share of the simulated outcomes that fail, with `--criterion`.
    share_failing: Option<f64>,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or the files have different features.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let optional = [args.flow.as_deref(), args.criterion.file()].into_iter().flatten();
    let inputs: Vec<&Path> =
        [args.real.as_path(), &args.samples].into_iter().chain(optional).collect();
    let written: Vec<&Path> = args.json.iter().map(PathBuf::as_path).collect();
    let _outputs = Outputs::claim(&inputs, &written, &[])?;
    let real = read_outcomes(&args.real, &args.read)?;
    let flow = match &args.flow {
        Some(path) => {
            let file = FlowFile::load(path, &flow_core::default_device())?;
            refuse_tilted(&file, path)?;
            Some(file)
        }
        None => None,
    };
    let names = flow.as_ref().map_or_else(|| real.names.clone(), feature_names);
    let whose = match &flow {
        Some(_) => "the flow".to_owned(),
        None => args.real.display().to_string(),
    };
    let samples = sampled(&args.samples, &names, &real)?;
    let samples = in_order_of(samples, &names, &args.samples, &whose)?;
    let real = in_order_of(real, &names, &args.real, &whose)?;
    let moments = match &flow {
        Some(file) => match &file.completion {
            Some(completion) => completion.moments().clone(),
            None => file.flow.standardise().clone(),
        },
        None => Standardise::from_data(real.x.as_view())?,
    };
    let mut x_std = [moments.apply(real.x.as_view()), moments.apply(samples.x.as_view())];
    let mut share_failing = None;
    if let Some(criterion) = args.criterion.read(&names, &moments)? {
        let all = x_std[0].ncols() as f64;
        for x in &mut x_std {
            *x = failing(&criterion, x)?;
        }
        share_failing = Some(x_std[0].ncols() as f64 / all);
    }
    let [real, samples] = x_std;
    let near =
        KnnReference::new(real.as_view(), args.neighbours)?.density_coverage(samples.as_view())?;
    let nll = match &flow {
        // A flow of free features alone has no density of all features.
        Some(file) if samples.ncols() > 0 && file.completion.is_none() => {
            Some(-file.flow.standardised().ln_pdf(samples.as_view())?.mean())
        }
        _ => None,
    };
    let record = MetricsRecord {
        real: real.ncols(),
        samples: samples.ncols(),
        density: near.density,
        coverage: near.coverage,
        nll,
        share_failing,
    };
    if let Some(path) = &args.json {
        file::write(path, serde_json::to_string_pretty(&record)?)?;
    }
    print_line!("{} simulated failures, {} samples", record.real, record.samples);
    print_line!("density  {:.3}", record.density);
    print_line!("coverage {:.3}", record.coverage);
    if let Some(nll) = nll {
        print_line!("NLL      {nll:.3} (mean of −ln p of the samples, in standardised units)");
    }
    if let Some(share) = share_failing {
        print_line!("share of failures among the simulated outcomes: {share:.4e}");
    }
    if let Some(path) = &args.json {
        print_line!("metrics written to {}", path.display());
    }
    Ok(())
}

/// Reads sampled failures without their weights. The features of the flow are `names`.
///
/// If the columns have the names of `real`, they come in its order: a flow that does not name its
/// features takes both by position.
fn sampled(path: &Path, names: &[String], real: &OutcomeTable) -> anyhow::Result<OutcomeTable> {
    let samples = read_outcomes(path, &ReadOptions::default())?;
    let d = names.len();
    // Without names, the weights are one more column than there are features.
    let samples = if !samples.named && samples.names.len() == d + 1 {
        samples.without_column(d)
    } else {
        samples.without(&weight_column(names))
    };
    let as_real = samples.named
        && samples.names.len() == real.names.len()
        && samples.names.iter().all(|name| real.names.contains(name));
    if as_real { samples.in_order_of(&real.names) } else { Ok(samples) }
}

/// The columns of `x_std`, `[d, n]`, that fail.
fn failing(criterion: &FailureCriterion, x_std: &DMatrix<f64>) -> anyhow::Result<DMatrix<f64>> {
    let g = criterion.evaluate(x_std.as_view())?;
    let columns: Vec<usize> = (0..x_std.ncols()).filter(|&j| g[j] <= 0.0).collect();
    Ok(x_std.select_columns(&columns))
}
