//! A run that is interrupted or killed returns the same bits as an uninterrupted one.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use flow_core::{
    Checkpoint, FlowConfig, FlowError, TrainSettings, Trained, default_device, fit, fit_resumable,
    train::{Jitter, Schedule, TrainingObserver},
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn data(seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    DMatrix::from_fn(3, 700, |_, _| StandardNormal.sample(&mut rng))
}

/// With all state that steps share: batch normalisation, noise, average, best weights.
fn config() -> FlowConfig {
    FlowConfig::builder(3).hidden(8).steps(2).build().unwrap()
}

fn settings() -> TrainSettings {
    TrainSettings::builder()
        .epochs(4)
        .batch_size(90)
        .learning_rate(5e-3)
        .schedule(Schedule::Cosine)
        .warm_up(0.1)
        .jitter(Jitter::Each(vec![0.05, 0.1, 0.0]))
        .average(0.9)
        .patience(Some(3))
        .build()
        .unwrap()
}

/// Stops after `left` steps; copies the checkpoint of the step before.
struct Stop<'a> {
    left: usize,
    copy: Option<(&'a Path, &'a Path)>,
}

impl TrainingObserver for Stop<'_> {
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

fn part(
    checkpoint: &Checkpoint,
    observer: &mut dyn TrainingObserver,
) -> Result<Trained, FlowError> {
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
    // 7 steps per epoch: stops after the first step, within and at the end of an epoch, and several times.
    for stops in [&[1][..], &[10], &[7, 7], &[3, 9, 1, 12]] {
        let checkpoint = Checkpoint::new(folder.path().join("run.ckpt"));
        for &left in stops {
            let result = part(&checkpoint, &mut Stop { left, copy: None });
            assert!(matches!(result, Err(FlowError::Interrupted { .. })), "{result:?}");
            assert!(checkpoint.path.exists());
        }
        same(&part(&checkpoint, &mut ()).unwrap(), &whole);
        assert!(!checkpoint.path.exists(), "the checkpoint is removed at the end");
    }
}

/// After `kill -9`, the checkpoint of an earlier step exists and nothing else.
#[test]
fn a_killed_run_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    let copy = folder.path().join("copy.ckpt");
    let checkpoint = Checkpoint { path: path.clone(), every: Duration::ZERO };
    let mut stop = Stop { left: 17, copy: Some((&path, &copy)) };
    part(&checkpoint, &mut stop).unwrap_err();
    // The state after 16 steps; the seventeenth is lost.
    same(&part(&Checkpoint::new(copy), &mut ()).unwrap(), &uninterrupted());
}

/// The process that the next test kills.
#[test]
#[ignore = "started and killed by another test"]
fn victim() {
    let Some(path) = std::env::var_os("FLOW_CORE_VICTIM") else { return };
    part(&Checkpoint { path: path.into(), every: Duration::ZERO }, &mut ()).unwrap();
}

#[test]
fn a_run_resumes_from_the_checkpoint_of_a_killed_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--ignored"])
        .env("FLOW_CORE_VICTIM", &path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The checkpoint is written after each step.
    while !path.exists() && victim.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    // At any moment, the state of the folder gives a run that returns the same bits.
    same(&part(&Checkpoint::new(&path), &mut ()).unwrap(), &uninterrupted());
    assert!(!path.exists());
}

#[test]
fn other_runs_and_damaged_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path().join("run.ckpt"));
    part(&checkpoint, &mut Stop { left: 5, copy: None }).unwrap_err();
    let attempt = |x: &DMatrix<f64>, settings: &TrainSettings| {
        let device = default_device();
        fit_resumable(x.as_view(), &config(), settings, &device, &mut (), &checkpoint).unwrap_err()
    };
    let other = attempt(&data(2), &settings()).to_string();
    assert!(other.contains("run.ckpt") && other.contains("other data"), "{other}");
    let longer = settings().to_builder().epochs(5).build().unwrap();
    let other = attempt(&data(1), &longer).to_string();
    assert!(other.contains("other settings"), "{other}");

    let good = fs::read(&checkpoint.path).unwrap();
    for cut in [0, 50, good.len() / 2, good.len() - 1] {
        fs::write(&checkpoint.path, &good[..cut]).unwrap();
        let message = attempt(&data(1), &settings()).to_string();
        assert!(message.contains("truncated"), "{message}");
    }
    // Every change is noticed: in the tensors (the last byte), in the position, in the architecture.
    let at = |text: &[u8]| good.windows(text.len()).position(|w| w == text).unwrap() + text.len();
    for place in [good.len() - 1, at(b"\\\"step\\\":"), at(b"\\\"hidden\\\":")] {
        let mut tampered = good.clone();
        tampered[place] ^= 1;
        fs::write(&checkpoint.path, tampered).unwrap();
        let message = attempt(&data(1), &settings()).to_string();
        assert!(message.contains("run.ckpt") && message.contains("checksum"), "{message}");
    }
    let at = good.windows(11).position(|w| w == b"\"version\":\"").unwrap();
    let mut future = good.clone();
    future[at + 11] = b'9';
    fs::write(&checkpoint.path, future).unwrap();
    let message = attempt(&data(1), &settings()).to_string();
    assert!(message.contains("format version 9"), "{message}");
    fs::write(&checkpoint.path, b"something else altogether, and rather long").unwrap();
    assert!(matches!(attempt(&data(1), &settings()), FlowError::Format { .. }));
    // The unusable file still exists.
    assert!(checkpoint.path.exists());
}
