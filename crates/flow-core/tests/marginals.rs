//! Flows with marginal maps: training, tails, point masses, files.

use flow_core::{
    FlowConfig, FlowFile, TrainSettings, Trained, default_device, fit,
    marginals::{Marginal, MarginalChoice},
};
use nalgebra::{DMatrix, DVector};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, StudentT};

/// Three features, `[3, n]`: Student's t with 3 degrees of freedom, rain with zeros where the first is low, and
/// a normal one that depends on both.
fn outcomes(n: usize) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let student = StudentT::new(3.0).unwrap();
    let mut x = DMatrix::zeros(3, n);
    for mut outcome in x.column_iter_mut() {
        let t: f64 = student.sample(&mut rng);
        let wet: f64 = 0.5 * t.clamp(-2.0, 2.0) + rng.sample::<f64, _>(StandardNormal);
        let rain = if wet < -1.0 { 0.0 } else { (0.4 * wet).exp() };
        let noise: f64 = rng.sample(StandardNormal);
        outcome.copy_from(&DVector::from_vec(vec![t, rain, 0.3 * wet + noise]));
    }
    x
}

fn trained(x: &DMatrix<f64>) -> Trained {
    let config = FlowConfig::builder(3).hidden(32).steps(4).batch_norm(false).build().unwrap();
    let settings = TrainSettings::builder()
        .epochs(15)
        .learning_rate(2e-3)
        .marginals([MarginalChoice::Auto])
        .seed(5)
        .build()
        .unwrap();
    fit(x.as_view(), &config, &settings, &default_device(), &mut ()).unwrap()
}

#[test]
fn features_keep_their_tails_and_point_masses_through_training_and_files() {
    let n = 6_000;
    let x = outcomes(n);
    let Trained { flow, record } = trained(&x);
    let maps = flow.marginals().each();
    assert!(matches!(maps[0], Marginal::Quantile(_)), "{}", maps[0]);
    assert!(matches!(maps[1], Marginal::Atomic(_)), "{}", maps[1]);
    assert!(matches!(maps[2], Marginal::Affine), "{}", maps[2]);

    // Shares of the draws against those of the data: both have sampling errors, and the flow is not perfect.
    let draws = flow.sample(200_000, 3).unwrap();
    let share = |x: &DMatrix<f64>, event: &dyn Fn(&[f64]) -> bool| {
        x.column_iter().filter(|x| event(x.as_slice())).count() as f64 / x.ncols() as f64
    };
    let dry = |x: &[f64]| x[1].to_bits() == 0;
    let (found, expected) = (share(&draws, &dry), share(&x, &dry));
    assert!((found / expected - 1.0).abs() < 0.1, "dry: {found} {expected}");
    assert!(draws.row(1).iter().all(|rain| *rain >= 0.0));
    // P(t > 22.2) = 1e-4 and P(t > 10.2) = 1e-3 for 3 degrees of freedom. Affine maps give less than 1e-6.
    for (level, p) in [(10.215, 1e-3), (22.204, 1e-4)] {
        let found = share(&draws, &|x| x[0] > level);
        assert!(found > 0.3 * p && found < 3.0 * p, "beyond {level}: {found} against {p}");
    }
    // The dependence survives: where the first feature is low, it is dry more often.
    let low_and_dry = |x: &[f64]| x[0] < -1.0 && dry(x);
    let (found, expected) = (share(&draws, &low_and_dry), share(&x, &low_and_dry));
    assert!((found / expected - 1.0).abs() < 0.25, "low and dry: {found} {expected}");

    // In both units, encoding inverts decoding where there is no atom.
    let u = DMatrix::from_fn(3, 50, |i, j| 0.5 + 0.04 * j as f64 * [1.0, 0.7, -0.5][i]);
    for standardised in [false, true] {
        let (there, back) = if standardised {
            let flow = flow.standardised();
            let there = flow.decode(u.as_view()).unwrap();
            let back = flow.encode(there.points.as_view()).unwrap();
            (there, back)
        } else {
            let there = flow.decode(u.as_view()).unwrap();
            let back = flow.encode(there.points.as_view()).unwrap();
            (there, back)
        };
        let wet: Vec<usize> = (0..50)
            .filter(|&j| !dry(flow.decode_points(u.as_view()).unwrap().column(j).as_slice()))
            .collect();
        assert!(wet.len() > 25);
        for j in wet {
            assert!((back.points.column(j) - u.column(j)).amax() < 1e-3, "{j}");
            assert!((back.ln_det[j] + there.ln_det[j]).abs() < 1e-2, "{j}");
        }
    }

    // One feature has an atom.
    assert!(!flow.has_density());

    // The likelihood is per standardised unit, as without marginal maps.
    let held_out = *record.held_out.last().unwrap();
    let gaussian = -1.5 * (1.0 + std::f64::consts::TAU.ln());
    assert!(held_out > gaussian, "{held_out} {gaussian}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    let file = FlowFile::new(flow, record).with_rows(x.as_view());
    file.save(&path).unwrap();
    let read = FlowFile::load(&path, &default_device()).unwrap();
    assert_eq!(read.flow.marginals(), file.flow.marginals());
    assert_eq!(read.rows.as_ref(), Some(&x));
    let before = file.flow.ln_pdf(x.columns(0, 200)).unwrap();
    assert_eq!(read.flow.ln_pdf(x.columns(0, 200)).unwrap(), before);
}

#[test]
fn a_file_keeps_at_most_fifty_thousand_rows() {
    let x = DMatrix::from_fn(2, 60_000, |i, j| (j + i) as f64);
    let config = FlowConfig::builder(2).hidden(4).steps(1).build().unwrap();
    let moments = flow_core::bijection::Standardise::from_data(x.as_view()).unwrap();
    let flow =
        flow_core::Flow::init(&config, moments, 1, flow_core::Precision::F32, &default_device())
            .unwrap();
    let file = FlowFile::new(flow, flow_core::TrainingRecord::default()).with_rows(x.as_view());
    let rows = file.rows.unwrap();
    assert_eq!(rows.ncols(), 50_000);
    assert_eq!((rows[(0, 0)], rows[(0, 49_999)]), (0.0, 59_998.0));
}
