//! `latent-is inspect`: the contents of a flow file and checks of the flow.

use std::path::PathBuf;

use flow_core::{FlowFile, Health};

use crate::{
    commands::{
        features::{feature_names, names_in_flow, outcomes_for},
        marginals::print_maps,
    },
    outcomes::{options::ReadOptions, text::listed},
    output::terminal::{print, print_line},
    training::checks,
};

/// Shows the contents of a flow file and checks the flow.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// File of the flow.
    flow: PathBuf,
    /// Outcomes that the flow was not trained on, for their likelihood: .csv, .parquet, .arrow,
    /// .npy or .npz.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    read: ReadOptions,
}

/// Runs the command. Returns whether all checks passed, now and after the training.
///
/// # Errors
/// When a file cannot be read or the outcomes have other features.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let file = FlowFile::load(&args.flow, &flow_core::default_device())?;
    let (config, record) = (file.flow.config(), &file.record);
    print_line!("{}", args.flow.display());
    print_line!(
        "  {} features, {} spline layers of width {}, {} bins on ±{}",
        config.features(),
        config.steps(),
        config.hidden(),
        config.bins(),
        config.tail_bound()
    );
    let (names, moments) = (feature_names(&file), file.flow.standardise());
    let own = names_in_flow(&file, &names);
    for (name, (mean, sd)) in own.iter().zip(moments.mean().iter().zip(moments.sd())) {
        print_line!("  {name:<16} mean {mean:>14.6} standard deviation {sd:>14.6}");
    }
    print_maps(&own, file.flow.marginals());
    if own.len() < names.len() {
        let others: Vec<String> = names.iter().filter(|n| !own.contains(n)).cloned().collect();
        print_line!("other features follow from these: {}", listed(&others, ", "));
    }
    if let Some(rows) = &file.rows {
        print_line!("holds {} of the outcomes it was trained on", rows.ncols());
    }
    if !file.members.is_empty() {
        print_line!(
            "has an ensemble of {} flows of random halves of the outcomes",
            file.members.len()
        );
    }
    print_line!(
        "trained on {} outcomes (hash {}…), {} epochs in {:.0} s, weights of epoch {}",
        record.rows,
        record.data_hash.get(..12).unwrap_or("none"),
        record.losses.len(),
        record.seconds,
        record.epoch
    );
    if let Some(held_out) = record.epoch.checked_sub(1).and_then(|e| record.held_out.get(e)) {
        print_line!("  held-out log-likelihood {held_out:.4} in standardised units");
    }
    for (key, value) in &record.provenance {
        print_line!("  {key}: {value}");
    }
    let read = |path| outcomes_for(path, &names, &args.read);
    let data = args.data.as_deref().map(read).transpose()?;
    let data = data.map(|table| match &file.completion {
        Some(completion) => table.x.select_rows(completion.free()),
        None => table.x,
    });
    let health = Health::examine(&file.flow, data.as_ref().map(nalgebra::DMatrix::as_view))?;
    print(&health.to_string());
    Ok(health.passed() && checks::failed(record).is_none())
}
