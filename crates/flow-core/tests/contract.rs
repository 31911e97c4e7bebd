//! What every bijection must do: decoding inverts encoding, log-determinants are those of the Jacobian
//! (by automatic differentiation and by differences), gradients reach every parameter, training and use
//! differ where they should, wrong shapes are refused.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{DType, Tensor, TensorCreationOptions, TensorData},
};
use flow_core::{
    Flow, FlowConfig, FlowError, LinearKind, Precision, TransformKind,
    bijection::{Bijection, Chain, Standardise},
    default_device,
    train::negative_log_likelihood,
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

/// A flow with every weight changed from its initial value; initial LU layers are the identity.
fn shaken(config: &FlowConfig) -> Flow {
    let d = config.features();
    let moments = Standardise::new(vec![1.0; d], vec![2.0; d]).unwrap();
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

/// Flows in which every kind of layer appears.
fn flows() -> Vec<Flow> {
    let coupling = |d| FlowConfig::builder(d).hidden(12).steps(2);
    let autoregressive = |d| coupling(d).transform(TransformKind::Autoregressive);
    [
        coupling(2),
        coupling(3),
        coupling(5).linear(LinearKind::Permutation),
        coupling(4).batch_norm(false).bins(4).tail_bound(1.5),
        coupling(4).dropout(0.3),
        autoregressive(3),
        autoregressive(1),
        autoregressive(5).linear(LinearKind::Permutation).batch_norm(false),
    ]
    .map(|builder| shaken(&builder.build().unwrap()))
    .into()
}

/// Every bijection: the layers of every flow, the whole chain, and the standardisation.
fn each(mut check: impl FnMut(usize, &str, &dyn Bijection)) {
    for flow in flows() {
        let d = flow.features();
        for k in 0..flow.chain().len() {
            check(d, &format!("layer {k} of {d}"), flow.chain().layer(k).unwrap());
        }
        check(d, &format!("chain of {d}"), flow.chain());
        check(d, &format!("standardise {d}"), flow.standardise());
    }
}

#[test]
fn decode_inverts_encode() {
    each(|d, name, layer| {
        let x = normals(64 * d, 2.0, 7);
        let (u, ln_det) = layer.encode(tensor(x.clone(), d));
        let (back, ln_det_back) = layer.decode(u);
        for (a, b) in host(back).iter().zip(&x) {
            assert!((a - b).abs() < 1e-7, "{name}: {a} against {b}");
        }
        for (a, b) in host(ln_det).iter().zip(host(ln_det_back)) {
            assert!((a + b).abs() < 1e-7, "{name}: {a} against {b}");
        }
    });
}

#[test]
fn log_determinants_are_those_of_numerical_derivatives() {
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
            let (u, ln_det) = layer.encode(tensor(rows, d));
            let u = host(u);
            let jacobian = DMatrix::from_fn(d, d, |i, j| {
                (u[2 * j * d + i] - u[(2 * j + 1) * d + i]) / (2.0 * step)
            });
            let numerical = jacobian.determinant().abs().ln();
            let ours = host(ln_det)[2 * d];
            assert!((ours - numerical).abs() < 1e-5, "{name}: {ours} against {numerical}");
        }
    });
}

/// Row `i` of the Jacobian is the gradient of output `i`. With `d` copies of a point and output `i` of
/// copy `i`, one backward pass gives all rows.
fn ln_det_by_autodiff(layer: &dyn Bijection, decode: bool, x: &[f64]) -> (f64, f64) {
    let d = x.len();
    let copies = tensor(x.repeat(d), d).autodiff().require_grad();
    let (mapped, ln_det) =
        if decode { layer.decode(copies.clone()) } else { layer.encode(copies.clone()) };
    let mut identity = vec![0.0; d * d];
    identity.iter_mut().step_by(d + 1).for_each(|v| *v = 1.0);
    let grads = (mapped * tensor(identity, d).autodiff()).sum().backward();
    let jacobian = DMatrix::from_row_slice(d, d, &host(copies.grad(&grads).unwrap()));
    (host(ln_det)[0], jacobian.determinant().abs().ln())
}

/// Without batch normalisation, which in training mode would connect the copies of a point. It is inside
/// the conditioners, whose derivatives are not part of the log-determinant of a spline layer.
#[test]
fn log_determinants_are_those_of_the_jacobian_by_autodiff() {
    for flow in flows() {
        let builder = flow.config().to_builder().batch_norm(false).dropout(0.0);
        let config = builder.build().unwrap();
        let (d, chain) = (config.features(), shaken(&config).chain().clone().train());
        let check = |name: &str, layer: &dyn Bijection| {
            for (seed, decode) in [(100, false), (101, true), (102, false), (103, true)] {
                let x = normals(d, 1.0, seed);
                let (ours, exact) = ln_det_by_autodiff(layer, decode, &x);
                assert!((ours - exact).abs() < 1e-9, "{name} {decode}: {ours} against {exact}");
            }
        };
        for k in 0..chain.len() {
            check(&format!("{config:?} layer {k}"), chain.layer(k).unwrap());
        }
        check(&format!("{config:?}"), &chain);
        check("standardise", flow.standardise());
    }
}

#[test]
fn in_use_rows_are_independent_and_nothing_changes() {
    each(|d, name, layer| {
        let x = normals(16 * d, 1.0, 3);
        let (all, ln_all) = layer.encode(tensor(x.clone(), d));
        let (all, ln_all) = (host(all), host(ln_all));
        for (i, row) in x.chunks(d).enumerate().take(3) {
            let (one, ln_one) = layer.encode(tensor(row.to_vec(), d));
            for (a, b) in host(one).iter().zip(&all[i * d..]) {
                assert!((a - b).abs() < 1e-11, "{name}: {a} against {b}");
            }
            assert!((host(ln_one)[0] - ln_all[i]).abs() < 1e-11, "{name}");
        }
        let again = layer.encode(tensor(x, d));
        assert_eq!((host(again.0), host(again.1)), (all, ln_all), "{name}");
    });
}

#[test]
fn in_training_batch_norm_updates_statistics_and_dropout_draws() {
    let statistics = |chain: Chain, flow: &Flow| -> Vec<f64> {
        let state = flow.clone().with_chain(chain).state_dict().unwrap();
        let running = state.iter().filter(|(name, _)| name.contains("running"));
        running.flat_map(|(_, tensor)| tensor.data.clone()).collect()
    };
    for flow in flows() {
        let (d, config) = (flow.features(), flow.config());
        let chain = flow.chain().clone().train();
        let x = || tensor(normals(32 * d, 1.0, 4), d).autodiff();
        let before = statistics(chain.clone(), &flow);
        let (first, second) = (host(chain.encode(x()).0), host(chain.encode(x()).0));
        let after = statistics(chain.clone(), &flow);
        assert_eq!(before != after, config.batch_norm(), "{config:?}");
        assert_eq!(first != second, config.dropout() > 0.0, "{config:?}");
        if config.batch_norm() {
            let in_use = host(flow.chain().encode(tensor(normals(32 * d, 1.0, 4), d)).0);
            assert_ne!(first, in_use, "{config:?}");
        }
    }
}

#[test]
fn gradients_reach_every_parameter() {
    /// Counts trained parameters, and those without a gradient or with a gradient of zeros.
    struct Unreached<'a>(&'a GradientsParams, usize, usize);
    impl ModuleVisitor for Unreached<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.1 += 1;
                let grad = self.0.get::<D>(param.id).map(host);
                let reached = grad.is_some_and(|g| {
                    g.len() == param.val().shape().num_elements()
                        && g.iter().all(|v| v.is_finite())
                        && g.iter().any(|v| *v != 0.0)
                });
                self.2 += usize::from(!reached);
            }
        }
    }
    for flow in flows() {
        let d = flow.features();
        let chain = flow.chain().clone().train();
        let batch = tensor(normals(64 * d, 1.0, 5), d).autodiff();
        let loss = negative_log_likelihood(&chain, batch);
        let grads = GradientsParams::from_grads(loss.backward(), &chain);
        let mut unreached = Unreached(&grads, 0, 0);
        chain.visit(&mut unreached);
        let Unreached(_, trained, unreached) = unreached;
        // The conditioner of a single feature has no inputs, so only its last bias has a gradient; the
        // triangles of a 1 × 1 matrix are empty.
        if d > 1 {
            assert_eq!(unreached, 0, "{:?}, of {trained}", flow.config());
        }
        assert!(trained > 10 && unreached < trained, "{:?}", flow.config());
    }
}

#[test]
fn batches_of_another_width_are_refused() {
    for flow in flows() {
        let d = flow.features();
        for width in [d - 1, d + 1] {
            let x = DMatrix::zeros(width, 4);
            let x = x.as_view();
            let errors = [
                flow.encode(x).unwrap_err(),
                flow.decode(x).unwrap_err(),
                flow.ln_pdf(x).unwrap_err(),
            ];
            for error in errors {
                let FlowError::Features { expected, actual } = error else { panic!("{error}") };
                assert_eq!((expected, actual), (d, width));
            }
        }
    }
}

#[test]
fn single_precision_follows_double() {
    for flow in flows() {
        let d = flow.features();
        let state = flow.state_dict().unwrap();
        let moments = flow.standardise().clone();
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

/// Puts the gradient of each parameter in its place, so that it can be read by name.
struct ShowGradients<'a>(&'a GradientsParams);
impl ModuleMapper for ShowGradients<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let grad = self.0.get::<D>(param.id).expect("every parameter has a gradient");
        param.map(|_| grad)
    }
}

/// burn takes the reciprocal of a scalar divisor in single precision when it differentiates, so nothing may
/// be divided by a number that is not a power of two: gradients would be wrong by 4e-8. The root of the
/// hidden width, 24, is such a number.
#[test]
fn gradients_in_double_precision_are_those_of_central_differences() {
    let config = FlowConfig::builder(3).hidden(24).steps(2).batch_norm(false).build().unwrap();
    let flow = shaken(&config);
    let state = flow.state_dict().unwrap();
    let batch = normals(3 * 4, 0.7, 11);
    let name = "_transform._transforms.5.transform_net.final_layer.bias";
    let loss_at = |i: usize, step: f64| {
        let mut state = state.clone();
        let mut bias = state.get(name).unwrap().clone();
        bias.data[i] += step;
        state.insert(name.to_owned(), bias);
        let (moments, device) = (flow.standardise().clone(), default_device());
        let moved = Flow::from_state_dict(&config, moments, state, Precision::F64, &device);
        host(negative_log_likelihood(moved.unwrap().chain(), tensor(batch.clone(), 3)))[0]
    };
    let chain = flow.chain().clone().train();
    let loss = negative_log_likelihood(&chain, tensor(batch.clone(), 3).autodiff());
    let grads = GradientsParams::from_grads(loss.backward(), &chain);
    let shown = flow.clone().with_chain(chain.map(&mut ShowGradients(&grads)));
    let gradient = shown.state_dict().unwrap().get(name).unwrap().data.clone();
    let largest = gradient.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    // Differences of sixth order: with a step of 0.01 both truncation and rounding are below 1e-12.
    let h = 0.01;
    for (i, ours) in gradient.iter().enumerate() {
        let term = |k: f64, weight: f64| weight * (loss_at(i, k * h) - loss_at(i, -k * h));
        let numerical = (term(1.0, 45.0) + term(2.0, -9.0) + term(3.0, 1.0)) / (60.0 * h);
        let error = (ours - numerical).abs() / largest;
        assert!(error < 1e-10, "{i}: {ours} against {numerical}, {error:e}");
    }
}

/// Beyond the data, a flow keeps the shape with which it began: near the identity, the tails of the marginal maps.
#[test]
fn an_untrained_flow_is_near_the_identity() {
    for transform in [TransformKind::Coupling, TransformKind::Autoregressive] {
        let config = FlowConfig::builder(3).hidden(32).steps(6).transform(transform);
        let config = config.batch_norm(false).build().unwrap();
        let moments = Standardise::new(vec![1.0; 3], vec![2.0; 3]).unwrap();
        let flow = Flow::init(&config, moments, 1, Precision::F64, &default_device()).unwrap();
        let x = nalgebra::DMatrix::from_fn(3, 50, |i, j| 0.2 * (i + 2 * j) as f64 - 8.0);
        let mapped = flow.encode(x.as_view()).unwrap();
        // The slopes of six layers in three features are off by some 1e-2 each, and multiply; a random start is
        // off by 1 and more.
        for (x, (u, ln_det)) in
            x.column_iter().zip(mapped.points.column_iter().zip(mapped.ln_det.iter()))
        {
            let mut expected: Vec<f64> = x.iter().map(|v| (v - 1.0) / 2.0).collect();
            // Layers may reverse the order of the features.
            let mut found: Vec<f64> = u.iter().copied().collect();
            expected.sort_by(f64::total_cmp);
            found.sort_by(f64::total_cmp);
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 0.1, "{transform:?}: {found:?} {expected:?}");
            }
            assert!((ln_det + 3.0 * 2.0_f64.ln()).abs() < 0.1, "{transform:?}: {ln_det}");
        }
    }
}
