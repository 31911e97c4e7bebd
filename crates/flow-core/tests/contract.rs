//! What holds for every bijection: round trip, log-determinants of both directions, gradients, and
//! agreement of the log-determinant with a numerical Jacobian.

use burn::tensor::{DType, Tensor, TensorCreationOptions, TensorData};
use flow_core::{
    BaseKind, Flow, FlowConfig, LinearKind, Precision,
    bijection::{Bijection, Standardize},
    default_device,
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn normals(n: usize, scale: f64, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| scale * Distribution::<f64>::sample(&StandardNormal, &mut rng)).collect()
}

fn tensor(data: Vec<f64>, d: usize) -> Tensor<2> {
    let shape = [data.len() / d, d];
    let options = TensorCreationOptions::new(default_device()).with_dtype(DType::F64);
    Tensor::from_data(TensorData::new(data, shape), options)
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.try_into_vec_as::<f64>().unwrap()
}

/// A flow with every weight moved away from its start, where LU layers are the identity.
fn shaken(config: &FlowConfig) -> Flow {
    let d = config.features;
    let moments = Standardize::new(vec![1.0; d], vec![2.0; d]).unwrap();
    let device = default_device();
    let flow = Flow::init(config, moments.clone(), 1, Precision::F64, &device).unwrap();
    let mut state = flow.state_dict().unwrap();
    let tensors: Vec<_> = state.iter().map(|(name, t)| (name.to_owned(), t.clone())).collect();
    for (seed, (name, mut tensor)) in tensors.into_iter().enumerate() {
        let trained = !name.ends_with("running_var") && !name.ends_with("mask");
        if !tensor.integer && trained {
            let noise = normals(tensor.data.len(), 0.2, seed as u64);
            tensor.data.iter_mut().zip(noise).for_each(|(v, n)| *v += n);
            state.insert(name, tensor);
        }
    }
    Flow::from_state_dict(config, moments, state, Precision::F64, &device).unwrap()
}

fn flows() -> Vec<Flow> {
    let base = |d| FlowConfig { hidden: 12, steps: 2, ..FlowConfig::new(d) };
    [
        base(2),
        base(3),
        FlowConfig { linear: LinearKind::Permutation, ..base(5) },
        FlowConfig { batch_norm: false, bins: 4, tail_bound: 1.5, ..base(4) },
        FlowConfig { base: BaseKind::Autoregressive, ..base(3) },
        FlowConfig { base: BaseKind::Autoregressive, features: 1, ..base(1) },
        FlowConfig {
            base: BaseKind::Autoregressive,
            linear: LinearKind::Permutation,
            batch_norm: false,
            ..base(5)
        },
    ]
    .iter()
    .map(shaken)
    .collect()
}

/// Every bijection: the layers of every flow, and its standardisation.
fn each(mut check: impl FnMut(usize, &str, &dyn Bijection)) {
    for flow in flows() {
        let d = flow.features();
        for k in 0..flow.chain().len() {
            check(d, &format!("layer {k} of {d}"), flow.chain().layer(k).unwrap());
        }
        check(d, &format!("chain of {d}"), flow.chain());
        check(d, &format!("standardise {d}"), flow.standardize());
    }
}

#[test]
fn decode_undoes_encode() {
    each(|d, name, layer| {
        let x = normals(64 * d, 2.0, 7);
        let (z, there) = layer.encode(tensor(x.clone(), d));
        let (back, and_back) = layer.decode(z);
        for (a, b) in host(back).iter().zip(&x) {
            assert!((a - b).abs() < 1e-7, "{name}: {a} against {b}");
        }
        for (a, b) in host(there).iter().zip(host(and_back)) {
            assert!((a + b).abs() < 1e-7, "{name}: {a} against {b}");
        }
    });
}

#[test]
fn the_log_determinant_is_that_of_the_jacobian() {
    let step = 1e-6;
    each(|d, name, layer| {
        for seed in 0..5 {
            let x = normals(d, 1.0, 100 + seed);
            // Rows x + h e_j and x - h e_j for every j, then x itself.
            let mut rows = Vec::new();
            for j in 0..d {
                for sign in [1.0, -1.0] {
                    let mut row = x.clone();
                    row[j] += sign * step;
                    rows.extend(row);
                }
            }
            rows.extend(&x);
            let (z, ln_det) = layer.encode(tensor(rows, d));
            let z = host(z);
            let jacobian = DMatrix::from_fn(d, d, |i, j| {
                (z[2 * j * d + i] - z[(2 * j + 1) * d + i]) / (2.0 * step)
            });
            let numerical = jacobian.determinant().abs().ln();
            let ours = host(ln_det)[2 * d];
            assert!((ours - numerical).abs() < 1e-5, "{name}: {ours} against {numerical}");
        }
    });
}

#[test]
fn single_precision_follows_double() {
    for flow in flows() {
        let d = flow.features();
        let state = flow.state_dict().unwrap();
        let moments = flow.standardize().clone();
        let device = default_device();
        let single =
            Flow::from_state_dict(flow.config(), moments, state, Precision::F32, &device).unwrap();
        let u = DMatrix::from_vec(d, 500, normals(500 * d, 1.0, 9));
        let double = flow.decode(u.as_view()).unwrap();
        let single = single.decode(u.as_view()).unwrap();
        assert!((double.points - single.points).amax() < 1e-3);
        assert!((double.ln_det - single.ln_det).amax() < 1e-3);
    }
}
