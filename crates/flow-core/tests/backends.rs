//! The same tests on every backend of the build, against double precision on the default one: both
//! directions, training steps, and files that are read on another backend.
//!
//! `cargo test -p flow-core --features wgpu,ndarray --test backends` runs them on all three.

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{DType, Tensor, TensorCreationOptions, TensorData},
};
use flow_core::{
    DEVICES, Device, Flow, FlowConfig, FlowFile, Precision, TrainSettings, TrainingRecord,
    TransformKind,
    bijection::Standardise,
    default_device, device, fit,
    train::{gradient_norm, negative_log_likelihood},
};
use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn normals(n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    DMatrix::from_fn(3, n, |_, _| StandardNormal.sample(&mut rng))
}

fn configs() -> [FlowConfig; 2] {
    [TransformKind::Autoregressive, TransformKind::Coupling].map(|transform| {
        FlowConfig::builder(3).transform(transform).hidden(16).steps(2).build().unwrap()
    })
}

fn flow(config: &FlowConfig, precision: Precision, device: &Device) -> Flow {
    let moments = Standardise::new(vec![1.0, -2.0, 0.0], vec![2.0, 0.5, 1.0]).unwrap();
    let flow = Flow::init(config, moments.clone(), 4, precision, device).unwrap();
    // An untrained flow is near the identity: every weight is moved.
    let mut state = flow.state_dict().unwrap();
    let tensors: Vec<_> = state.iter().map(|(name, t)| (name.to_owned(), t.clone())).collect();
    for (seed, (name, mut tensor)) in (0..).zip(tensors) {
        if tensor.integer || name.ends_with("running_var") || name.ends_with("mask") {
            continue;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for v in &mut tensor.data {
            let noise: f64 = StandardNormal.sample(&mut rng);
            *v += 0.2 * noise;
        }
        state.insert(name, tensor);
    }
    Flow::from_state_dict(config, moments, state, precision, device).unwrap()
}

fn each(mut check: impl FnMut(&str, &Device, &FlowConfig)) {
    for name in DEVICES {
        let device = device(name).unwrap();
        for config in configs() {
            check(name, &device, &config);
        }
    }
}

/// Single precision through two spline layers; the log-determinant is a sum of nine such terms.
fn close(name: &str, a: &DMatrix<f64>, b: &DMatrix<f64>) {
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-4 * (1.0 + b.abs()), "{name}: {a} against {b}");
    }
}

fn column(v: &DVector<f64>) -> DMatrix<f64> {
    DMatrix::from_column_slice(v.len(), 1, v.as_slice())
}

#[test]
fn both_directions_agree_with_double_precision() {
    let x = normals(300, 1);
    each(|name, device, config| {
        let ours = flow(config, Precision::F32, device);
        let truth = flow(config, Precision::F64, &default_device());
        let (a, b) = (ours.encode(x.as_view()).unwrap(), truth.encode(x.as_view()).unwrap());
        close(name, &a.points, &b.points);
        close(name, &column(&a.ln_det), &column(&b.ln_det));
        let (a, b) = (ours.decode(x.as_view()).unwrap(), truth.decode(x.as_view()).unwrap());
        close(name, &a.points, &b.points);
        close(name, &column(&a.ln_det), &column(&b.ln_det));
    });
}

#[test]
fn training_takes_the_same_steps() {
    let x = normals(400, 2);
    let settings = TrainSettings::builder().epochs(2).batch_size(100).build().unwrap();
    each(|name, device, config| {
        let train = |device| fit(x.as_view(), config, &settings, device, &mut ()).unwrap();
        let (ours, reference) = (train(device), train(&default_device()));
        let rows = |v: &[f64]| DMatrix::from_column_slice(v.len(), 1, v);
        close(name, &rows(&ours.record.losses), &rows(&reference.record.losses));
        close(name, &rows(&ours.record.held_out), &rows(&reference.record.held_out));
    });
}

/// On a CPU, `fit` does not use burn; this test takes a step with burn.
#[test]
fn a_step_of_the_modules_is_the_same() {
    let x = normals(200, 3);
    each(|name, device, config| {
        let step = |device: &Device, precision| {
            let chain = flow(config, precision, device).chain().clone().train();
            let dtype = if precision == Precision::F64 { DType::F64 } else { DType::F32 };
            let options = TensorCreationOptions::new(device.clone().autodiff()).with_dtype(dtype);
            let data = TensorData::new(x.as_slice().to_vec(), [x.ncols(), x.nrows()]);
            let loss = || {
                let batch = Tensor::<2>::from_data(data.clone(), options.clone());
                negative_log_likelihood(&chain, batch)
            };
            let grads = GradientsParams::from_grads(loss().backward(), &chain);
            let norm = gradient_norm(&grads, &chain);
            [loss().into_scalar::<f64>(), norm]
        };
        let ours = step(device, Precision::F32);
        let truth = step(&default_device(), Precision::F64);
        let rows = |v: &[f64]| DMatrix::from_column_slice(v.len(), 1, v);
        close(name, &rows(&ours), &rows(&truth));
    });
}

#[test]
fn files_are_read_on_another_backend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    each(|name, device, config| {
        let here = flow(config, Precision::F32, device);
        let state = here.state_dict().unwrap();
        FlowFile::new(here, TrainingRecord::default()).save(&path).unwrap();
        for other in DEVICES {
            let there = FlowFile::load(&path, &flow_core::device(other).unwrap()).unwrap().flow;
            assert_eq!(there.state_dict().unwrap(), state, "from {name} to {other}");
        }
    });
}
