//! Training learns, is reproducible and refuses unsuitable data.

use flow_core::{
    FlowConfig, FlowError, TrainSettings, Trained, default_device, fit,
    train::{Epoch, Jitter, Schedule, TrainingObserver},
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A banana: $x_1 = u_1$, $x_2 = u_2/2 + 0.6 (u_1^2 - 1)$, so that
/// $\log p(x) = \log\varphi(u) + \log 2$ with entropy $\log(2\pi e) - \log 2$.
fn banana(n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let mut x = DMatrix::zeros(2, n);
    for mut column in x.column_iter_mut() {
        let (u1, u2) = (normal(), normal());
        column.copy_from_slice(&[u1, 0.5 * u2 + 0.6 * (u1 * u1 - 1.0)]);
    }
    x
}

fn settings() -> TrainSettings {
    TrainSettings::builder()
        .epochs(4)
        .batch_size(256)
        .learning_rate(4e-3)
        .schedule(Schedule::Cosine)
        .seed(3)
        .build()
        .unwrap()
}

fn small() -> FlowConfig {
    FlowConfig::builder(2).hidden(16).steps(3).build().unwrap()
}

fn train(x: &DMatrix<f64>) -> Trained {
    fit(x.as_view(), &small(), &settings(), &default_device(), &mut ()).unwrap()
}

#[test]
fn a_banana_is_learnt() {
    let trained = train(&banana(20_000, 1));
    let fresh = banana(20_000, 2);
    let ours = trained.flow.ln_pdf(fresh.as_view()).unwrap().mean();
    let truth = 2.0_f64.ln() - (2.0 * std::f64::consts::PI).ln() - 1.0;
    // The mean of log p over 20,000 draws has a standard error of 0.007. An affine Gaussian fit
    // loses log(sd(x_2) / 0.5) = 0.53 nats, which is outside the bound.
    assert!(ours < truth + 4.0 * 0.007 && ours > truth - 0.08, "{ours} against {truth}");
    assert_eq!(trained.record.losses.len(), 4);
    assert_eq!(trained.record.held_out.len(), 4);
    assert_eq!(trained.record.data_hash.len(), 64);
}

#[test]
fn a_run_is_reproducible_on_any_number_of_threads() {
    let x = banana(3_000, 1);
    let weights = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train(&x).flow.state_dict().unwrap())
    };
    let one = weights(1);
    assert_eq!(one, weights(2));
    let other = settings().to_builder().seed(4).build().unwrap();
    let other = fit(x.as_view(), &small(), &other, &default_device(), &mut ()).unwrap();
    assert_ne!(one, other.flow.state_dict().unwrap());
}

#[test]
fn the_observer_receives_every_step_and_epoch() {
    #[derive(Default)]
    struct Count {
        announced: usize,
        steps: usize,
        epochs: Vec<Epoch>,
    }
    impl TrainingObserver for Count {
        fn start(&mut self, steps: usize) {
            self.announced = steps;
        }
        fn step(&mut self, _: f64) {
            self.steps += 1;
        }
        fn epoch(&mut self, epoch: &Epoch) {
            self.epochs.push(*epoch);
        }
    }
    let mut count = Count::default();
    let x = banana(1_000, 1);
    fit(x.as_view(), &small(), &settings(), &default_device(), &mut count).unwrap();
    // 900 rows are trained on, in 3 batches of 256.
    assert_eq!((count.announced, count.steps), (12, 12));
    assert_eq!(count.epochs.iter().map(|e| e.done).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn bad_data_is_refused_with_its_place() {
    let attempt = |x: &DMatrix<f64>, config: &FlowConfig, settings: &TrainSettings| {
        fit(x.as_view(), config, settings, &default_device(), &mut ()).unwrap_err()
    };
    let good = banana(1_000, 1);
    let with = |row: usize, value: f64| {
        let mut x = good.clone();
        x[(1, row)] = value;
        x
    };
    for value in [f64::NAN, f64::INFINITY] {
        let error = attempt(&with(17, value), &small(), &settings());
        assert!(matches!(error, FlowError::NotFinite { row: 17, feature: 1, .. }), "{error}");
    }
    let mut constant = good.clone();
    constant.row_mut(0).fill(2.5);
    let error = attempt(&constant, &small(), &settings());
    assert!(matches!(error, FlowError::ConstantFeature { feature: 0, .. }), "{error}");

    let error = attempt(&good, &FlowConfig::builder(3).build().unwrap(), &settings());
    assert!(matches!(error, FlowError::Features { expected: 3, actual: 2 }), "{error}");
    for n in [0, 1, 19] {
        let error = attempt(&good.columns(0, n).into(), &small(), &settings());
        assert!(matches!(error, FlowError::TooFewRows { needed: 20, .. }), "{error}");
    }
    let unsuitable = [
        settings().to_builder().jitter(Jitter::Each(vec![0.1; 3])),
        settings().to_builder().patience(Some(2)).validation_share(0.0),
        settings().to_builder().validation_share(0.999),
        settings().to_builder().epochs(usize::MAX),
        settings().to_builder().epochs(1 << 47),
    ];
    for builder in unsuitable {
        let error = attempt(&good, &small(), &builder.build().unwrap());
        assert!(matches!(error, FlowError::Setting { .. }), "{error}");
    }
}

#[test]
fn with_fewer_rows_than_a_batch_each_step_takes_all_of_them() {
    let x = banana(60, 1);
    // 54 rows are trained on, 6 are held out.
    assert_eq!(settings().rows_per_step(60), 54);
    assert_eq!(settings().rows_per_step(1_000), 256);
    let exact = settings().to_builder().batch_size(54).build().unwrap();
    let run = |settings: &TrainSettings| {
        fit(x.as_view(), &small(), settings, &default_device(), &mut ()).unwrap()
    };
    let (fewer, exact) = (run(&settings()), run(&exact));
    assert_eq!(fewer.record.losses.len(), 4);
    assert_eq!(fewer.flow.state_dict().unwrap(), exact.flow.state_dict().unwrap());
    // The fewest rows.
    let x = x.columns(0, 20);
    fit(x, &small(), &settings(), &default_device(), &mut ()).unwrap();
}

#[test]
fn settings_out_of_range_are_refused() {
    let good = || TrainSettings::builder();
    let bad = [
        (good().epochs(0), "epochs"),
        (good().batch_size(1), "batch_size"),
        (good().learning_rate(-1.0), "learning_rate"),
        (good().clip_norm(f64::NAN), "clip_norm"),
        (good().validation_share(1.0), "validation_share"),
        (good().warm_up(1.0), "warm_up"),
        (good().average(-0.1), "average"),
        (good().jitter(Jitter::Same(-1.0)), "jitter"),
        (good().jitter(Jitter::Each(vec![0.1, f64::NAN])), "jitter"),
        (good().jitter_start(0.5), "jitter_start"),
        (good().patience(Some(0)), "patience"),
    ];
    for (builder, name) in bad {
        let error = builder.build().unwrap_err();
        assert!(error.to_string().starts_with(&format!("{name} must be")), "{error}");
    }
    // The same checks when settings are read.
    let text = serde_json::to_string(&settings()).unwrap();
    assert_eq!(serde_json::from_str::<TrainSettings>(&text).unwrap(), settings());
    let bad = text.replace("\"epochs\":4", "\"epochs\":0");
    let error = serde_json::from_str::<TrainSettings>(&bad).unwrap_err().to_string();
    assert!(error.contains("epochs must be positive, got 0"), "{error}");
}

#[test]
fn a_run_without_a_finite_loss_stops_after_three_resets() {
    struct Skipped(Vec<usize>);
    impl TrainingObserver for Skipped {
        fn skipped(&mut self, step: usize) {
            self.0.push(step);
        }
    }
    // The noise overflows in single precision: every loss is infinite.
    let settings = settings().to_builder().jitter(Jitter::Same(1e39)).epochs(20).build().unwrap();
    let x = banana(1_000, 1);
    let mut skipped = Skipped(Vec::new());
    let result = fit(x.as_view(), &small(), &settings, &default_device(), &mut skipped);
    assert!(matches!(result, Err(FlowError::Diverged { step: 19, epoch: 7, .. })), "{result:?}");
    assert_eq!(skipped.0, (0..20).collect::<Vec<_>>());
}

/// Points on the line $x_2 = x_1$ have no density; with noise of standard deviations $a$ and $b$ they
/// have that of $N(0, 1 1^T + \mathrm{diag}(a^2, b^2))$, which a clean point meets with
/// $-\log 2\pi - \tfrac12 \log(a^2 + b^2 + a^2 b^2) - \tfrac12 x_1^2 s / (1 + s)$, $s = a^{-2} + b^{-2}$.
#[test]
fn jitter_gives_a_line_the_density_of_its_noise() {
    let (a, b) = (0.2_f64, 0.3_f64);
    line_with(Jitter::Same(a), a, a);
    line_with(Jitter::Each(vec![a, b]), a, b);
}

fn line_with(jitter: Jitter, a: f64, b: f64) {
    let line = |seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut x = DMatrix::zeros(2, 20_000);
        x.column_iter_mut().for_each(|mut c| c.fill(StandardNormal.sample(&mut rng)));
        x
    };
    let settings = settings().to_builder().jitter(jitter).average(0.99).build().unwrap();
    let x = line(1);
    let trained = fit(x.as_view(), &small(), &settings, &default_device(), &mut ()).unwrap();
    let fresh = line(2);
    let ours = trained.flow.ln_pdf(fresh.as_view()).unwrap().mean();
    let (a2, b2) = (a * a, b * b);
    let s = 1.0 / a2 + 1.0 / b2;
    let truth =
        -(2.0 * std::f64::consts::PI).ln() - 0.5 * (a2 + b2 + a2 * b2).ln() - 0.5 * s / (1.0 + s);
    // The standard error of the mean is 0.005; a fit that ignores the line loses 1.2 nats.
    assert!((ours - truth).abs() < 0.1, "{ours} against {truth}");
}

#[test]
fn batches_of_another_shape_or_with_nan_are_refused_in_use() {
    let flow = train(&banana(1_000, 1)).flow;
    let error = flow.encode(DMatrix::zeros(3, 5).as_view()).unwrap_err();
    assert!(matches!(error, FlowError::Features { expected: 2, actual: 3 }), "{error}");
    let mut u = DMatrix::zeros(2, 5);
    u[(0, 3)] = f64::NAN;
    let error = flow.decode(u.as_view()).unwrap_err();
    assert!(matches!(error, FlowError::NotFinite { row: 3, feature: 0, .. }), "{error}");
    // No rows in, no rows out.
    assert_eq!(flow.encode(DMatrix::zeros(2, 0).as_view()).unwrap().points.shape(), (2, 0));
}
