//! Checkpoints of training runs.

use std::path::Path;

use flow_core::{
    Checkpoint, FlowError, TrainSettings, Trained, default_device, fit_resumable,
    train::TrainingObserver,
};
use nalgebra::DMatrix;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::{Damage, bound, cases, edit, small, within};

/// Stops after some steps.
struct Stop(usize);

impl TrainingObserver for Stop {
    fn stop(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 == 0
    }
}

fn run(path: &Path, observer: &mut dyn TrainingObserver) -> Result<Trained, FlowError> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let x = DMatrix::from_fn(2, 60, |_, _| StandardNormal.sample(&mut rng));
    let settings = TrainSettings::builder().epochs(3).batch_size(20).average(0.9).patience(Some(2));
    let settings = settings.build().unwrap();
    let checkpoint = Checkpoint::new(path);
    let device = default_device();
    fit_resumable(x.as_view(), &small(), &settings, &device, observer, &checkpoint)
}

/// A checkpoint after one epoch and one step.
fn checkpoint() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    run(&path, &mut Stop(3)).unwrap_err();
    std::fs::read(path).unwrap()
}

fn resumed(bytes: &[u8]) -> Result<Trained, FlowError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    std::fs::write(&path, bytes).unwrap();
    // The training itself is in it.
    within(bound(bytes.len()) + (4 << 20), || run(&path, &mut ()))
}

/// The file with a checksum that fits.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let (mut header, data) = edit::parts(bytes);
    header["__metadata__"]["checksum"] = safe_file::PLACEHOLDER.into();
    let mut bytes = edit::file(&header, data);
    safe_file::seal(&mut bytes);
    bytes
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn damaged_checkpoints_are_refused(damage in Damage::any()) {
        let good = checkpoint();
        let bytes = damage.of(&good);
        let refused = bytes == good || matches!(resumed(&bytes), Err(FlowError::Format { .. }));
        prop_assert!(refused, "{:?}", resumed(&bytes).err());
    }
}

#[test]
fn edited_checkpoints_are_refused_by_their_checksum() {
    let good = checkpoint();
    resumed(&good).unwrap();
    for file in edit::files(&good, "progress").iter().step_by(7) {
        let error = resumed(file).unwrap_err().to_string();
        assert!(error.contains("checksum"), "{error}");
    }
}

/// With a checksum that fits, a checkpoint of another position, of other settings or with weights that are
/// not finite is refused, or the run ends.
#[test]
fn edited_checkpoints_with_a_new_checksum_do_no_harm() {
    let good = checkpoint();
    resumed(&sealed(&good)).unwrap();
    for key in ["config", "record", "progress", "steps"] {
        for file in edit::files(&good, key) {
            let _ = resumed(&sealed(&file));
        }
    }
    let mut nan = good.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = resumed(&sealed(&nan)).unwrap_err().to_string();
    assert!(error.contains("not finite"), "{error}");
}
