//! The training loop: damaged weights, early stopping, schedules.

use burn::tensor::Device;
use nalgebra::{DMatrix, DMatrixView};
use rand::RngExt;
use rand_distr::StandardNormal;

use crate::{
    bijection::standardise::Standardise,
    config::FlowConfig,
    device::{Precision, default_device},
    flow::Flow,
    train::{
        data::Data,
        record::TrainingRecord,
        rng::{Purpose, stream},
        run::Run,
        schedule::Schedule,
        settings::TrainSettings,
    },
};

fn data() -> Data {
    let mut rng = stream(1, Purpose::Split, 0);
    let mut normals = |n: usize| (0..2 * n).map(|_| rng.sample(StandardNormal)).collect();
    Data {
        features: 2,
        train: normals(300),
        held_out: normals(100),
        ln_det: [0.0; 2],
        weights: None,
    }
}

fn run<'a>(data: &'a Data, device: &'a Device, settings: TrainSettings) -> Run<'a> {
    let config = FlowConfig::builder(2).hidden(8).steps(2).build().unwrap();
    let same = Standardise::from_data(DMatrix::<f64>::identity(2, 2).as_view()).unwrap();
    let flow = Flow::init(&config, same, 1, Precision::F32, device).unwrap();
    Run::new(flow, data, device, TrainingRecord { settings, ..TrainingRecord::default() }).unwrap()
}

#[test]
fn damaged_weights_are_reset_and_training_continues() {
    let (data, device) = (data(), default_device());
    let settings = TrainSettings::builder().epochs(4).batch_size(100).build().unwrap();
    let mut run = run(&data, &device, settings);
    let mut damaged = run.state.learner.weights().unwrap();
    for tensor in &mut damaged {
        tensor.fill(f32::NAN);
    }
    run.state.learner.restart(&damaged).unwrap();
    let trained = run.finish(&mut (), None).unwrap();
    assert_eq!((trained.record.skipped, trained.record.rollbacks), (5, 1));
    // Three steps per epoch: the weights are reset in the second.
    assert!(trained.record.losses[1..].iter().all(|v| v.is_finite()), "{:?}", trained.record);
    assert!(trained.record.held_out[1..].iter().all(|v| v.is_finite()), "{:?}", trained.record);
}

#[test]
fn the_flow_has_the_weights_of_the_best_epoch() {
    let (data, device) = (data(), default_device());
    // The rate is so large that the flow soon overfits 300 rows.
    let settings = TrainSettings::builder()
        .epochs(200)
        .batch_size(50)
        .learning_rate(1e-2)
        .patience(Some(3))
        .average(0.5)
        .build()
        .unwrap();
    let trained = run(&data, &device, settings).finish(&mut (), None).unwrap();
    let record = &trained.record;
    let best = record.held_out.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!(record.losses.len() < 200, "training did not stop early");
    assert_eq!(record.losses.len(), record.epoch + 3);
    assert!(record.held_out[record.epoch - 1] >= best);
    let x_std = DMatrixView::from_slice(&data.held_out, 2, 100);
    let again = trained.flow.standardised().ln_pdf(x_std).unwrap().mean();
    assert!((again - best).abs() < 1e-6, "{again} against {best}");
}

#[test]
fn the_rate_rises_then_falls() {
    let settings =
        TrainSettings::builder().warm_up(0.1).schedule(Schedule::Cosine).build().unwrap();
    let noise = settings.to_builder().jitter_start(16.0).build().unwrap();
    assert!((noise.noise_factor(49, 100) - 4.0).abs() < 1e-12);
    assert!((noise.noise_factor(99, 100) - 1.0).abs() < 1e-12);
    let rate = |step| settings.rate(step, 100) / settings.learning_rate();
    let cosine = |p: f64| 0.5 * (1.0 + (std::f64::consts::PI * p).cos());
    for (step, expected) in [(0, 0.0), (5, 0.5 * cosine(0.05)), (10, cosine(0.1)), (50, 0.5)] {
        assert!((rate(step) - expected).abs() < 1e-12, "{step}: {}", rate(step));
    }
}
