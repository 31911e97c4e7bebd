//! `latent-is inspect`: what a flow file holds and whether it can be trusted.

use std::path::PathBuf;

use flow_core::{FlowFile, Health};

use super::{feature_names, outcomes_of};

/// Shows what is in a flow file.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The flow.
    flow: PathBuf,
    /// Outcomes it was not trained on, for their likelihood.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
}

/// Runs the command; whether every check passed.
///
/// # Errors
/// When a file cannot be used.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let file = FlowFile::load(&args.flow, &flow_core::default_device())?;
    let (config, record) = (file.flow.config(), &file.record);
    println!("{}", args.flow.display());
    println!(
        "  {} features, {} spline layers of width {}, {} bins on ±{}",
        config.features(),
        config.steps(),
        config.hidden(),
        config.bins(),
        config.tail_bound()
    );
    let moments = file.flow.standardise();
    for (name, (mean, sd)) in
        feature_names(&file).iter().zip(moments.mean().iter().zip(moments.sd()))
    {
        println!("  {name:<16} mean {mean:>14.6} standard deviation {sd:>14.6}");
    }
    println!(
        "trained on {} outcomes (hash {}…), {} epochs in {:.0} s, weights of epoch {}",
        record.rows,
        record.data_hash.get(..12).unwrap_or("none"),
        record.losses.len(),
        record.seconds,
        record.epoch
    );
    if let Some(held_out) = record.epoch.checked_sub(1).and_then(|e| record.held_out.get(e)) {
        println!("  held-out log-likelihood {held_out:.4} in standardised units");
    }
    for (key, value) in &record.provenance {
        println!("  {key}: {value}");
    }
    let names = feature_names(&file);
    let data = args.data.as_deref().map(|path| outcomes_of(path, &names)).transpose()?;
    let health = Health::examine(&file.flow, data.as_ref().map(|table| table.x.as_view()))?;
    print!("{health}");
    Ok(health.passed())
}
