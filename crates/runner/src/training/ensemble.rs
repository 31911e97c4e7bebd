//! The ensemble of a flow: further flows of random halves of its outcomes.

use std::path::Path;

use flow_core::{Checkpoint, Device, FlowConfig, FlowError, FlowFile, TrainSettings, fit_member};
use nalgebra::DMatrixView;

use crate::{output::terminal::print_note, training::progress::TrainingProgress};

/// Key of the last member that was trained in the provenance of a flow.
const LAST_MEMBER: &str = "last_member";
/// Number of members where nothing else is asked for.
const USUAL: usize = 5;
/// Largest number of members.
const MOST: usize = 50;
/// Fewest outcomes for an ensemble that nobody asked for: halves of fewer say little.
const FEWEST_ROWS: usize = 400;
/// Most rows times epochs times parameters for it: under a minute for the flow itself, on two cores.
const SHORT: f64 = 4e11;

/// The number of members: the given one or, without one, five where the training is short.
///
/// # Errors
/// When the given number is 1 or too large.
pub(crate) fn members(
    given: Option<usize>,
    config: &FlowConfig,
    settings: &TrainSettings,
    rows: usize,
) -> anyhow::Result<usize> {
    if let Some(given) = given {
        anyhow::ensure!(
            given != 1 && given <= MOST,
            "--ensemble {given}: an ensemble has between 2 and {MOST} members; 0 is for none"
        );
        return Ok(given);
    }
    let work = rows as f64 * settings.epochs() as f64 * config.parameters() as f64;
    Ok(if rows >= FEWEST_ROWS && work <= SHORT { USUAL } else { 0 })
}

/// The last member that was trained, also if its training diverged: with gaps the number of members does not tell.
fn last_member(file: &FlowFile) -> Option<usize> {
    file.record.provenance.get(LAST_MEMBER)?.parse().ok()
}

/// Trains the members that `file` lacks, and writes it to `path` after each.
///
/// # Shapes
/// - `x`: `[d, n]`, the outcomes of the flow
///
/// # Errors
/// When a training fails or a file cannot be written.
pub(crate) fn train_members(
    file: &mut FlowFile,
    count: usize,
    x: DMatrixView<'_, f64>,
    device: &Device,
    checkpoint: &Checkpoint,
    path: &Path,
) -> anyhow::Result<()> {
    let mut next = last_member(file).map_or(0, |last| last + 1);
    while file.members.len() < count {
        let k = next;
        next += 1;
        let mut observer =
            TrainingProgress::new(format!("member {} of {count}", file.members.len() + 1))
                .without_epochs();
        let (flow, record) = (&file.flow, &file.record);
        let member = fit_member(x, flow, record, k, device, &mut observer, Some(checkpoint));
        observer.finish();
        match member {
            Ok(member) => file.members.push(member),
            Err(FlowError::Diverged { .. }) if k < 2 * count => {
                print_note!("the training of this member diverged; another half is taken");
            }
            Err(error) => return Err(error.into()),
        }
        file.record.provenance.insert(LAST_MEMBER.to_owned(), k.to_string());
        file.save(path)?;
    }
    Ok(())
}
