//! A flow of weighted outcomes has the weighted distribution; runs resume; unsuitable weights are refused.

use flow_core::{
    Checkpoint, FlowConfig, FlowError, RowWeightsError, TrainSettings, Trained, default_device,
    fit, fit_member, fit_weighted,
    marginals::MarginalChoice,
    train::{Jitter, Schedule, TrainingObserver, data_hash, weighted_data_hash},
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Mean and standard deviation of each feature of the weighted distribution.
const MEAN: f64 = 1.0;
const SD: f64 = 0.8;

fn normals(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    DMatrix::from_fn(d, n, |_, _| StandardNormal.sample(&mut rng))
}

/// $\ln N(x; m, s^2 I)$ of each column.
fn ln_normal(x: &DMatrix<f64>, mean: f64, sd: f64) -> Vec<f64> {
    let of = |v: &f64| {
        -0.5 * ((v - mean) / sd).powi(2) - sd.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln()
    };
    x.column_iter().map(|column| column.iter().map(of).sum()).collect()
}

/// Importance weights of standard normal `x`.
fn weights(x: &DMatrix<f64>) -> Vec<f64> {
    let pairs = ln_normal(x, MEAN, SD).into_iter().zip(ln_normal(x, 0.0, 1.0));
    pairs.map(|(p, q)| (p - q).exp()).collect()
}

fn config(d: usize) -> FlowConfig {
    FlowConfig::builder(d).hidden(8).steps(2).bins(4).build().unwrap()
}

fn settings() -> TrainSettings {
    TrainSettings::builder()
        .epochs(6)
        .batch_size(200)
        .learning_rate(3e-3)
        .schedule(Schedule::Cosine)
        .average(0.99)
        .seed(3)
        .build()
        .unwrap()
}

fn train(
    x: &DMatrix<f64>,
    weights: &[f64],
    settings: &TrainSettings,
) -> Result<Trained, FlowError> {
    let config = config(x.nrows());
    fit_weighted(x.as_view(), weights, &config, settings, &default_device(), &mut (), None)
}

/// Mean and standard error of a sample.
fn mean_se(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (square / (n * (n - 1.0))).sqrt())
}

/// The loss of likelihood of the flow of largest likelihood, with $k$ parameters and $n$ rows, is $k / 2n$ on average
/// (Wilks), and with weights about $k / 2 n_\text{eff}$ of the effective training rows. Parameters of networks do the
/// work of fewer free ones, so this is a bound. To it are added four standard errors of the measurement, which an exact
/// flow exceeds with probability 6e-5. A flow of the rows without weights loses
/// $\ln(1/s) + (s^2 + 1)/2 - 1/2 = 0.54$ per feature.
fn learns(d: usize, settings: &TrainSettings) {
    let (n, share) = (20_000, 0.9);
    let x = normals(d, n, 1);
    let w = weights(&x);
    let Trained { flow, record } = train(&x, &w, settings).unwrap();
    let effective = record.effective_rows.unwrap();
    // The variance of the weights is known: n_eff / n = s sqrt(2 - s^2) exp(-m^2 / (2 - s^2)) per feature.
    let spread = 2.0 - SD * SD;
    let expected = (SD * spread.sqrt() * (-MEAN * MEAN / spread).exp()).powi(d as i32) * n as f64;
    assert!((effective / expected - 1.0).abs() < 0.1, "{effective} against {expected}");
    let bound = flow.config().parameters() as f64 / (2.0 * share * effective);

    // Draws from the weighted distribution, by themselves.
    let fresh = normals(d, 20_000, 2).map(|u| MEAN + SD * u);
    let ours = flow.ln_pdf(fresh.as_view()).unwrap();
    let losses: Vec<f64> =
        ln_normal(&fresh, MEAN, SD).iter().zip(&ours).map(|(p, ours)| p - ours).collect();
    let (loss, se) = mean_se(&losses);
    println!("d = {d}: loss {loss:.5}, standard error {se:.5}, bound {bound:.5}");
    assert!(loss > -4.0 * se && loss < bound + 4.0 * se, "{loss}, bound {bound}, se {se}");
    assert!(bound + 4.0 * se < 0.54 * d as f64 / 4.0, "the bound says nothing: {bound}");

    // The held-out likelihood, in units of the data. The standard error of a weighted mean is that of all rows, more
    // for the share that is held out.
    let truth = -0.5 * d as f64 * ((2.0 * std::f64::consts::PI).ln() + 1.0 + 2.0 * SD.ln());
    let ln_sd: f64 = flow.standardise().sd().iter().map(|s| s.ln()).sum();
    let held_out = record.held_out[record.epoch - 1] - ln_sd;
    let total: f64 = w.iter().sum();
    let parts = ln_normal(&x, MEAN, SD).into_iter().zip(&w);
    let square: f64 = parts.map(|(p, w)| (w * (p - truth)).powi(2)).sum();
    let se = square.sqrt() / total / (1.0_f64 - share).sqrt();
    let short = truth - held_out;
    println!("d = {d}: held out {held_out:.5}, truth {truth:.5}, standard error {se:.5}");
    assert!(short > -4.0 * se && short < bound + 4.0 * se, "{held_out} against {truth}, se {se}");

    let root = effective.sqrt();
    for (m, s) in flow.standardise().mean().iter().zip(flow.standardise().sd()) {
        assert!((m - MEAN).abs() < 4.0 * SD / root && (s - SD).abs() < 4.0 * SD / root, "{m}, {s}");
    }
}

#[test]
fn one_weighted_feature_is_learnt() {
    learns(1, &settings());
}

#[test]
fn two_weighted_features_are_learnt() {
    learns(2, &settings());
}

/// The maps are those of the standard normal outcomes, and the flow has the weighted distribution all the same.
#[test]
fn weighted_features_with_marginal_maps_are_learnt() {
    let settings = settings().to_builder().marginals([MarginalChoice::Quantile]).build().unwrap();
    learns(2, &settings);
}

#[test]
fn equal_weights_are_no_weights() {
    let x = normals(2, 4_000, 5);
    let device = default_device();
    let without = fit(x.as_view(), &config(2), &settings(), &device, &mut ()).unwrap();
    assert_eq!(without.record.effective_rows, None);
    let with = train(&x, &vec![0.1; 4_000], &settings()).unwrap();
    assert_eq!(with.record.effective_rows, Some(4_000.0));
    let (a, b) = (without.flow.standardise(), with.flow.standardise());
    for (a, b) in a.mean().iter().zip(b.mean()).chain(a.sd().iter().zip(b.sd())) {
        assert!((a - b).abs() < 1e-13, "{a} against {b}");
    }
    // The order of the rows differs, so the flows do: each loses up to k / 2n against the truth, on the same rows.
    let bound = without.flow.config().parameters() as f64 / (2.0 * 3_600.0);
    let [a, b] = [&without, &with].map(|trained| trained.record.held_out[5]);
    println!("held out: {a:.5} and {b:.5}, bound {bound:.5}");
    assert!((a - b).abs() < bound, "{a} against {b}");
}

#[test]
fn only_ratios_of_weights_matter_and_rows_of_weight_zero_do_not() {
    let settings = settings().to_builder().epochs(2).build().unwrap();
    let mut x = normals(2, 1_000, 6);
    let mut w = weights(&x);
    let first = train(&x, &w, &settings).unwrap();
    let state = first.flow.state_dict().unwrap();
    assert_eq!(first.record.rows, 1_000);
    // A power of two, so that rounding is the same.
    let scaled: Vec<f64> = w.iter().map(|w| w * 2.0_f64.powi(-40)).collect();
    let again = train(&x, &scaled, &settings).unwrap();
    assert_eq!(again.flow.state_dict().unwrap(), state);
    assert_eq!(again.record.effective_rows, first.record.effective_rows);
    x = x.insert_columns(300, 200, 1e6);
    w.splice(300..300, [0.0; 200]);
    let more = train(&x, &w, &settings).unwrap();
    assert_eq!(more.flow.state_dict().unwrap(), state);
    assert_eq!(more.record.held_out, first.record.held_out);
    assert_eq!(more.record.rows, 1_200);
}

/// Stops after some steps.
struct Stop(usize);

impl TrainingObserver for Stop {
    fn stop(&mut self) -> bool {
        self.0 -= 1;
        self.0 == 0
    }
}

#[test]
fn interrupted_runs_end_with_the_same_bits_and_refuse_other_weights() {
    let x = normals(2, 700, 7);
    let w = weights(&x);
    let settings = settings()
        .to_builder()
        .epochs(4)
        .batch_size(90)
        .jitter(Jitter::Same(0.05))
        .patience(Some(3))
        .build()
        .unwrap();
    let whole = train(&x, &w, &settings).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path().join("run.ckpt"));
    let part = |w: &[f64], observer: &mut dyn TrainingObserver| {
        let device = default_device();
        let checkpoint = Some(&checkpoint);
        fit_weighted(x.as_view(), w, &config(2), &settings, &device, observer, checkpoint)
    };
    // 7 steps per epoch: stops within and at the end of an epoch.
    for stop in [3, 4, 9] {
        let result = part(&w, &mut Stop(stop));
        assert!(matches!(result, Err(FlowError::Interrupted { .. })), "{result:?}");
    }
    let mut other = w.clone();
    other[17] *= 1.5;
    for other in [&other[..], &[1.0; 700]] {
        let error = part(other, &mut ()).unwrap_err().to_string();
        assert!(error.contains("run.ckpt") && error.contains("other data"), "{error}");
    }
    let resumed = part(&w, &mut ()).unwrap();
    assert_eq!(resumed.flow.state_dict().unwrap(), whole.flow.state_dict().unwrap());
    assert_eq!(resumed.record.losses, whole.record.losses);
    assert_eq!(resumed.record.held_out, whole.record.held_out);
    assert_eq!(resumed.record.effective_rows, whole.record.effective_rows);
    assert_eq!(resumed.record.data_hash, weighted_data_hash(x.as_view(), &w));
    assert_ne!(resumed.record.data_hash, data_hash(x.as_view()));
    assert!(!checkpoint.path.exists());
}

#[test]
fn unsuitable_weights_are_refused() {
    let x = normals(2, 200, 8);
    let good = weights(&x);
    let refused = |weights: &[f64]| match train(&x, weights, &settings()) {
        Err(FlowError::RowWeights(error)) => error,
        other => panic!("{other:?}"),
    };
    let count = RowWeightsError::Count { weights: 199, rows: 200 };
    assert_eq!(refused(&good[1..]), count);
    let mut negative = good.clone();
    negative[150] = -0.5;
    assert_eq!(refused(&negative), RowWeightsError::Value { row: 150, value: -0.5 });
    assert_eq!(refused(&[0.0; 200]), RowWeightsError::AllZero { rows: 200 });
    let mut few = vec![0.0; 200];
    few[..19].fill(3.0);
    let error = refused(&few);
    assert!(matches!(error, RowWeightsError::TooFewEffective { rows: 200, .. }), "{error}");

    // Everything else is refused as without weights.
    let settings = settings();
    let error = train(&x.columns(0, 19).into_owned(), &good[..19], &settings).unwrap_err();
    assert!(matches!(error, FlowError::TooFewRows { rows: 19, needed: 20 }), "{error}");
    let device = default_device();
    let attempt = fit_weighted(x.as_view(), &good, &config(3), &settings, &device, &mut (), None);
    assert!(matches!(attempt, Err(FlowError::Features { .. })), "{attempt:?}");
    let mut bad = x.clone();
    bad[(1, 20)] = f64::NAN;
    let error = train(&bad, &good, &settings).unwrap_err();
    assert!(matches!(error, FlowError::NotFinite { row: 20, feature: 1, .. }), "{error}");
    // Twenty rows are enough.
    few[19] = 3.0;
    train(&x, &few, &settings).unwrap();
}

#[test]
fn a_flow_of_weighted_outcomes_has_no_ensemble() {
    let x = normals(2, 400, 9);
    let settings = settings().to_builder().epochs(1).build().unwrap();
    let Trained { flow, record } = train(&x, &weights(&x), &settings).unwrap();
    let device = default_device();
    let member = fit_member(x.as_view(), &flow, &record, 0, &device, &mut (), None);
    let error = member.unwrap_err();
    assert!(matches!(error, FlowError::RowWeights(RowWeightsError::Member)), "{error}");
}
