//! A run that is interrupted or killed ends with the bits of one that is not.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use flow_core::{
    Checkpoint, FlowConfig, FlowError, TrainSettings, Trained, default_device, fit, fit_resumable,
    train::{Jitter, Observer, Schedule},
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn data(seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    DMatrix::from_fn(3, 700, |_, _| StandardNormal.sample(&mut rng))
}

/// Everything that carries state from step to step: batch norm, noise, average, best weights.
fn config() -> FlowConfig {
    FlowConfig { hidden: 8, steps: 2, ..FlowConfig::new(3) }
}

fn settings() -> TrainSettings {
    TrainSettings {
        epochs: 4,
        batch_size: 90,
        learning_rate: 5e-3,
        schedule: Schedule::Cosine,
        warm_up: 0.1,
        jitter: Jitter::Each(vec![0.05, 0.1, 0.0]),
        average: 0.9,
        patience: Some(3),
        ..TrainSettings::default()
    }
}

/// Stops after so many steps in this sitting; keeps a copy of the checkpoint as it was before.
struct Stop<'a> {
    left: usize,
    copy: Option<(&'a Path, &'a Path)>,
}

impl Observer for Stop<'_> {
    fn stop(&mut self) -> bool {
        if self.left == 1
            && let Some((from, to)) = self.copy
        {
            fs::copy(from, to).unwrap();
        }
        self.left -= 1;
        self.left == 0
    }
}

fn sitting(checkpoint: &Checkpoint, observer: &mut dyn Observer) -> Result<Trained, FlowError> {
    let x = data(1);
    fit_resumable(x.as_view(), &config(), &settings(), &default_device(), observer, checkpoint)
}

fn uninterrupted() -> Trained {
    fit(data(1).as_view(), &config(), &settings(), &default_device(), &mut ()).unwrap()
}

fn same(a: &Trained, b: &Trained) {
    assert_eq!(a.flow.state_dict().unwrap(), b.flow.state_dict().unwrap());
    assert_eq!(a.record.losses, b.record.losses);
    assert_eq!(a.record.held_out, b.record.held_out);
    assert_eq!(a.record.epoch, b.record.epoch);
}

#[test]
fn interrupted_runs_end_with_the_same_bits() {
    let whole = uninterrupted();
    let folder = tempfile::tempdir().unwrap();
    // 7 steps an epoch: the first, in the middle, at an epoch's end, and several times over.
    for stops in [&[1][..], &[10], &[7, 7], &[3, 9, 1, 12]] {
        let checkpoint = Checkpoint::new(folder.path().join("run.ckpt"));
        for &left in stops {
            let result = sitting(&checkpoint, &mut Stop { left, copy: None });
            assert!(matches!(result, Err(FlowError::Interrupted { .. })), "{result:?}");
            assert!(checkpoint.path.exists());
        }
        same(&sitting(&checkpoint, &mut ()).unwrap(), &whole);
        assert!(!checkpoint.path.exists(), "the checkpoint is removed at the end");
    }
}

/// After `kill -9` there is the checkpoint of some earlier step, and nothing more.
#[test]
fn a_killed_run_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    let copy = folder.path().join("copy.ckpt");
    let checkpoint = Checkpoint { path: path.clone(), every: Duration::ZERO };
    let mut stop = Stop { left: 17, copy: Some((&path, &copy)) };
    sitting(&checkpoint, &mut stop).unwrap_err();
    // The state after 16 steps; the seventeenth is lost.
    same(&sitting(&Checkpoint::new(copy), &mut ()).unwrap(), &uninterrupted());
}

/// The other half of the test below, in a process of its own.
#[test]
#[ignore = "started and killed by another test"]
fn victim() {
    let Some(path) = std::env::var_os("FLOW_CORE_VICTIM") else { return };
    sitting(&Checkpoint { path: path.into(), every: Duration::ZERO }, &mut ()).unwrap();
}

#[test]
fn a_process_killed_in_the_middle_leaves_a_checkpoint_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--ignored"])
        .env("FLOW_CORE_VICTIM", &path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A checkpoint after each step; it is there from the first step to the last.
    while !path.exists() && victim.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    // Whatever moment it was, a run that finds the folder in that state ends with the same bits.
    same(&sitting(&Checkpoint::new(&path), &mut ()).unwrap(), &uninterrupted());
    assert!(!path.exists());
}

#[test]
fn other_runs_and_damaged_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path().join("run.ckpt"));
    sitting(&checkpoint, &mut Stop { left: 5, copy: None }).unwrap_err();
    let attempt = |x: &DMatrix<f64>, settings: &TrainSettings| {
        let device = default_device();
        fit_resumable(x.as_view(), &config(), settings, &device, &mut (), &checkpoint).unwrap_err()
    };
    let other = attempt(&data(2), &settings()).to_string();
    assert!(other.contains("run.ckpt") && other.contains("other data"), "{other}");
    let longer = TrainSettings { epochs: 5, ..settings() };
    let other = attempt(&data(1), &longer).to_string();
    assert!(other.contains("other settings"), "{other}");

    let good = fs::read(&checkpoint.path).unwrap();
    for cut in [0, 50, good.len() / 2, good.len() - 1] {
        fs::write(&checkpoint.path, &good[..cut]).unwrap();
        let message = attempt(&data(1), &settings()).to_string();
        assert!(message.contains("truncated"), "{message}");
    }
    let at = good.windows(11).position(|w| w == b"\"version\":\"").unwrap();
    let mut future = good.clone();
    future[at + 11] = b'9';
    fs::write(&checkpoint.path, future).unwrap();
    let message = attempt(&data(1), &settings()).to_string();
    assert!(message.contains("format version 9"), "{message}");
    fs::write(&checkpoint.path, b"something else altogether, and rather long").unwrap();
    assert!(matches!(attempt(&data(1), &settings()), FlowError::Format { .. }));
    // What could not be used is still there.
    assert!(checkpoint.path.exists());
}
