//! `latent-is metrics`: how well sampled failures stand for simulated ones.

use std::path::PathBuf;

use flow_core::{FlowFile, bijection::Standardise};
use latent_is::{LimitState, metrics::KnnReference};
use nalgebra::DMatrix;
use serde::Serialize;

use super::{WEIGHT, feature_names};
use crate::{criterion::Criterion, files, reading};

/// Compares sampled failures with simulated ones: density, coverage, likelihood.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Simulated failures, or with --criterion any simulated outcomes: .npy, .csv or .parquet.
    #[arg(long, value_name = "FILE")]
    real: PathBuf,
    /// Sampled failures, as `estimate --samples` writes them; a column `weight` takes no part.
    #[arg(long, value_name = "FILE")]
    samples: PathBuf,
    /// A flow: its moments standardise the features, and the samples' likelihood under it is told.
    #[arg(long, value_name = "FILE")]
    flow: Option<PathBuf>,
    /// Only outcomes and samples that fail by this criterion count.
    #[arg(long, value_name = "FILE")]
    criterion: Option<PathBuf>,
    /// Neighbours in density and coverage.
    #[arg(long, default_value_t = 5)]
    neighbours: usize,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What `--json` holds.
#[derive(Debug, Serialize)]
struct Figures {
    real: usize,
    samples: usize,
    density: f64,
    coverage: f64,
    /// Mean of −log p of the samples under the flow, standardised.
    nll: Option<f64>,
    /// Share of the simulated outcomes that fail, with --criterion.
    share_failing: Option<f64>,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be used or the files have other features.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let real = reading::read(&args.real)?;
    let samples = reading::read(&args.samples)?.without(WEIGHT);
    let (d, e) = (real.x.nrows(), samples.x.nrows());
    anyhow::ensure!(
        d == e,
        "{} has {d} features and {} has {e}",
        args.real.display(),
        args.samples.display()
    );
    let flow = match &args.flow {
        Some(path) => Some(FlowFile::load(path, &flow_core::default_device())?),
        None => None,
    };
    let names = flow.as_ref().map_or_else(|| real.names.clone(), feature_names);
    let moments = match &flow {
        Some(file) => file.flow.standardise().clone(),
        None => Standardise::from_data(real.x.as_view())?,
    };
    anyhow::ensure!(
        moments.mean().len() == d,
        "the flow has {} features, the outcomes have {d}",
        moments.mean().len()
    );
    let mut z = [moments.apply(real.x.as_view()), moments.apply(samples.x.as_view())];
    let mut share_failing = None;
    if let Some(path) = &args.criterion {
        let criterion = Criterion::read(path, &names, &moments)?;
        let all = z[0].ncols() as f64;
        for z in &mut z {
            *z = failing(&criterion, z)?;
        }
        share_failing = Some(z[0].ncols() as f64 / all);
    }
    let [real, samples] = z;
    let near =
        KnnReference::new(real.as_view(), args.neighbours)?.density_coverage(samples.as_view())?;
    let nll = match &flow {
        Some(file) if samples.ncols() > 0 => {
            Some(-file.flow.standardised().ln_pdf(samples.as_view())?.mean())
        }
        _ => None,
    };
    let figures = Figures {
        real: real.ncols(),
        samples: samples.ncols(),
        density: near.density,
        coverage: near.coverage,
        nll,
        share_failing,
    };
    println!("{} simulated failures, {} samples", figures.real, figures.samples);
    println!("density  {:.3}", figures.density);
    println!("coverage {:.3}", figures.coverage);
    if let Some(nll) = nll {
        println!("NLL      {nll:.3} (mean of −log p of the samples, standardised)");
    }
    if let Some(share) = share_failing {
        println!("share of simulated outcomes that fail: {share:.4e}");
    }
    if let Some(path) = &args.json {
        files::write(path, &serde_json::to_string_pretty(&figures)?)?;
        println!("written to {}", path.display());
    }
    Ok(())
}

/// The columns of `z`, `[d, n]`, that fail.
fn failing(criterion: &Criterion, z: &DMatrix<f64>) -> anyhow::Result<DMatrix<f64>> {
    let g = criterion.evaluate(z.as_view())?;
    let columns: Vec<usize> = (0..z.ncols()).filter(|&j| g[j] <= 0.0).collect();
    Ok(z.select_columns(&columns))
}
