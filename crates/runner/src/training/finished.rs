//! A training that is finished already.

use std::path::Path;

use flow_core::{Device, FlowConfig, FlowFile, TrainSettings, train::data_hash};
use nalgebra::DMatrixView;

/// The flow at `path`, if training on `x`, `[d, n]`, would give the same flow. A run that was interrupted after
/// the training has no checkpoint any more, but it has this file.
pub(crate) fn finished(
    path: &Path,
    config: &FlowConfig,
    settings: &TrainSettings,
    x: DMatrixView<'_, f64>,
    device: &Device,
) -> Option<FlowFile> {
    let file = FlowFile::load(path, device).ok()?;
    let same = file.flow.config() == config
        && file.record.settings == *settings
        && file.record.data_hash == data_hash(x);
    same.then_some(file)
}
