//! Flows of one feature and of fifty work as those of a few.

use flow_core::{
    Flow, FlowConfig, FlowFile, Health, LinearKind, TrainSettings, TransformKind, default_device,
    fit, train::Schedule,
};
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Normal numbers with standard deviation 0.5 around -1.5 and around 1.5, in equal shares.
fn two_peaks(n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    DMatrix::from_fn(1, n, |_, _| {
        let centre = if rng.random() { 1.5 } else { -1.5 };
        centre + 0.5 * rng.sample::<f64, _>(StandardNormal)
    })
}

fn settings() -> TrainSettings {
    let builder = TrainSettings::builder().epochs(20).batch_size(200).learning_rate(5e-3);
    builder.schedule(Schedule::Cosine).build().unwrap()
}

#[test]
fn one_feature_is_learnt_with_the_default_architecture() {
    let device = default_device();
    let (x, fresh) = (two_peaks(5_000, 1), two_peaks(20_000, 2));
    let config = FlowConfig::builder(1).build().unwrap();
    assert_eq!(config.transform(), TransformKind::Autoregressive);
    let trained = fit(x.as_view(), &config, &settings(), &device, &mut ()).unwrap();
    let flow = &trained.flow;
    // The entropy is that of a normal distribution plus ln 2; 20,000 draws determine the mean of the
    // log-density to 0.005. A normal fit loses 0.45 nats.
    let truth = -(2.0_f64.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln() + 0.5 + 0.5_f64.ln());
    let ours = flow.ln_pdf(fresh.as_view()).unwrap().mean();
    assert!(ours < truth + 0.03 && ours > truth - 0.06, "{ours} against {truth}");
    let health = Health::examine(flow, Some(fresh.as_view())).unwrap();
    assert!(health.passed(), "{health}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    let flow = trained.flow.clone();
    FlowFile::new(trained.flow, trained.record).save(&path).unwrap();
    let read = FlowFile::load(&path, &device).unwrap().flow;
    assert_eq!(read.sample(100, 3).unwrap(), flow.sample(100, 3).unwrap());
    let weights = folder.path().join("weights.safetensors");
    flow.to_nflows(&weights).unwrap();
    let read = Flow::from_nflows(&weights, &config).unwrap();
    assert_eq!(read.state_dict().unwrap(), flow.state_dict().unwrap());
}

#[test]
fn one_feature_works_in_every_architecture() {
    let x = two_peaks(300, 1);
    for linear in [LinearKind::Lu, LinearKind::Permutation] {
        for batch_norm in [false, true] {
            for dropout in [0.0, 0.2] {
                let builder = FlowConfig::builder(1).hidden(6).steps(2).linear(linear);
                let config = builder.batch_norm(batch_norm).dropout(dropout).build().unwrap();
                let settings = settings().to_builder().epochs(3).average(0.9).build().unwrap();
                let device = default_device();
                let flow = fit(x.as_view(), &config, &settings, &device, &mut ()).unwrap().flow;
                let u = DMatrix::from_fn(1, 81, |_, j| j as f64 / 10.0 - 4.0);
                let decoded = flow.decode(u.as_view()).unwrap();
                let back = flow.encode(decoded.points.as_view()).unwrap();
                assert!((back.points - &u).amax() < 1e-3, "{config:?}");
                assert!((back.ln_det + decoded.ln_det).amax() < 1e-2, "{config:?}");
            }
        }
    }
}

#[test]
fn fifty_features_work() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut x = DMatrix::from_fn(50, 1_000, |_, _| rng.sample::<f64, _>(StandardNormal));
    x.column_iter_mut().for_each(|mut c| (1..50).for_each(|i| c[i] = 0.6 * c[i - 1] + 0.8 * c[i]));
    for transform in [TransformKind::Coupling, TransformKind::Autoregressive] {
        let builder = FlowConfig::builder(50).hidden(32).steps(2).transform(transform);
        let config = builder.batch_norm(false).build().unwrap();
        let settings = settings().to_builder().epochs(5).build().unwrap();
        let trained = fit(x.as_view(), &config, &settings, &default_device(), &mut ()).unwrap();
        let flow = trained.flow;
        assert_eq!(flow.sample(10, 1).unwrap().shape(), (50, 10));
        let decoded = flow.decode(flow.encode(x.as_view()).unwrap().points.as_view()).unwrap();
        assert!((decoded.points - &x).amax() < 1e-2);
        let losses = &trained.record.losses;
        assert!(losses[4] < losses[0], "{losses:?}");
    }
}
