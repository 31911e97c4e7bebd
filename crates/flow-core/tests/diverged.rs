//! A training that diverges ends with an error and leaves no flow and no damaged checkpoint.

use std::{path::PathBuf, time::Duration};

use flow_core::{
    Checkpoint, FlowConfig, FlowError, TrainSettings, TrainSettingsBuilder, default_device, fit,
    fit_resumable, train::TrainingObserver,
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use safetensors::SafeTensors;

fn data() -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    DMatrix::from_fn(2, 600, |_, _| StandardNormal.sample(&mut rng))
}

fn config() -> FlowConfig {
    FlowConfig::builder(2).hidden(8).steps(2).batch_norm(false).build().unwrap()
}

fn settings(rate: f64) -> TrainSettingsBuilder {
    TrainSettings::builder().epochs(6).batch_size(100).learning_rate(rate)
}

#[test]
fn far_too_large_steps_are_an_error_whatever_is_measured() {
    let x = data();
    for rate in [1e2, 1e5, 1e10, 1e38, 1e300] {
        for builder in [
            settings(rate),
            settings(rate).patience(Some(3)),
            settings(rate).epochs(1).patience(Some(1)),
            settings(rate).average(0.9),
        ] {
            let settings = builder.build().unwrap();
            let result = fit(x.as_view(), &config(), &settings, &default_device(), &mut ());
            let error = result.unwrap_err();
            assert!(matches!(error, FlowError::Diverged { .. }), "{rate}: {error}");
            let text = error.to_string();
            assert!(
                text.contains("in epoch") && text.contains("lower the learning rate"),
                "{text}"
            );
        }
        // Without held-out rows the weights themselves are looked at.
        let settings = settings(rate).validation_share(0.0).build().unwrap();
        match fit(x.as_view(), &config(), &settings, &default_device(), &mut ()) {
            Err(error) => assert!(matches!(error, FlowError::Diverged { .. }), "{rate}: {error}"),
            Ok(trained) => {
                let state = trained.flow.state_dict().unwrap();
                assert!(state.iter().all(|(_, t)| t.data.iter().all(|v| v.is_finite())));
            }
        }
    }
}

/// Looks at the checkpoint after each step.
struct Finite {
    path: PathBuf,
    seen: usize,
}

impl TrainingObserver for Finite {
    fn stop(&mut self) -> bool {
        if let Ok(bytes) = std::fs::read(&self.path) {
            self.seen += 1;
            for (name, tensor) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
                let (numbers, _) = tensor.data().as_chunks::<4>();
                let finite = numbers.iter().all(|v| f32::from_le_bytes(*v).is_finite());
                assert!(finite || name.starts_with("moments"), "{name}");
            }
        }
        false
    }
}

#[test]
fn a_checkpoint_never_holds_weights_that_are_not_finite() {
    let (x, folder) = (data(), tempfile::tempdir().unwrap());
    let path = folder.path().join("run.ckpt");
    let checkpoint = Checkpoint { path: path.clone(), every: Duration::ZERO };
    // In the second epoch the rate has grown so far that a step leaves single precision.
    let settings = settings(1e38).warm_up(0.99).build().unwrap();
    let mut observer = Finite { path, seen: 0 };
    let device = default_device();
    let result =
        fit_resumable(x.as_view(), &config(), &settings, &device, &mut observer, &checkpoint);
    assert!(matches!(result, Err(FlowError::Diverged { .. })), "{result:?}");
    assert!(observer.seen > 0);
    // It would diverge again.
    assert!(!checkpoint.path.exists());
}
