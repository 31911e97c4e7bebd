//! A correct flow passes every check, and each check finds its fault.

use flow_core::{
    Check, Flow, FlowConfig, Health, Precision, TrainSettings, TransformKind,
    bijection::Standardise, default_device, fit,
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn data(seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut x = DMatrix::from_fn(2, 4_000, |_, _| StandardNormal.sample(&mut rng));
    x.column_iter_mut().for_each(|mut c| c[1] = 0.5 * c[1] + c[0]);
    x
}

fn config() -> FlowConfig {
    FlowConfig::builder(2).hidden(12).steps(2).build().unwrap()
}

fn failed(health: &Health) -> Vec<Check> {
    health.findings.iter().filter(|f| !f.passed).map(|f| f.check).collect()
}

#[test]
fn a_correct_flow_passes() {
    for transform in [TransformKind::Coupling, TransformKind::Autoregressive] {
        let settings = TrainSettings::builder().epochs(10).batch_size(200).build().unwrap();
        let config = config().to_builder().transform(transform).build().unwrap();
        let x = data(1);
        let flow = fit(x.as_view(), &config, &settings, &default_device(), &mut ()).unwrap().flow;
        let fresh = data(2);
        let health = Health::examine(&flow, Some(fresh.as_view())).unwrap();
        assert!(health.passed(), "{health}");
        assert_eq!(health.to_string().lines().count(), health.findings.len());
    }
}

#[test]
fn faults_are_found() {
    let moments = Standardise::new(vec![0.0; 2], vec![1.0; 2]).unwrap();
    let flow =
        Flow::init(&config(), moments.clone(), 1, Precision::F32, &default_device()).unwrap();
    let with = |name: &str, value: f64| {
        let mut state = flow.state_dict().unwrap();
        let mut tensor = state.iter().find(|(n, _)| *n == name).unwrap().1.clone();
        tensor.data.fill(value);
        state.insert(name.to_owned(), tensor);
        let device = default_device();
        Flow::from_state_dict(&config(), moments.clone(), state, Precision::F32, &device).unwrap()
    };
    // A shift moves the mean of all draws.
    let shifted = Health::examine(&with("_transform._transforms.1.bias", 0.5), None).unwrap();
    assert!(failed(&shifted).contains(&Check::Moments), "{shifted}");
    // A very large shift leaves no digits for the point.
    let far = Health::examine(&with("_transform._transforms.1.bias", 1e6), None).unwrap();
    assert!(failed(&far).contains(&Check::RoundTrip), "{far}");
    // A scale that is too small for single precision.
    let name = "_transform._transforms.1.unconstrained_upper_diag";
    let tiny = Health::examine(&with(name, -100.0), None).unwrap();
    assert!(failed(&tiny).contains(&Check::Moments), "{tiny}");
    // A flow whose mass is far from the data is worse than independent normals.
    let elsewhere = data(3).map(|v| v + 3.0);
    let lost = Health::examine(&shifted_away(&flow), Some(elsewhere.as_view())).unwrap();
    assert!(failed(&lost).contains(&Check::Likelihood), "{lost}");
}

/// The flow with its mass far from the standardised data.
fn shifted_away(flow: &Flow) -> Flow {
    let mut state = flow.state_dict().unwrap();
    let name = "_transform._transforms.1.bias";
    let mut tensor = state.iter().find(|(n, _)| *n == name).unwrap().1.clone();
    tensor.data.fill(20.0);
    state.insert(name.to_owned(), tensor);
    let moments = flow.standardise().clone();
    Flow::from_state_dict(flow.config(), moments, state, Precision::F32, &default_device()).unwrap()
}
