//! Gradients and whole steps against the burn modules and against the reference package.

use std::path::PathBuf;

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Tensor, TensorData},
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::flow::TrainingFlow;
use crate::{
    bijection::standardise::Standardise,
    config::{FlowConfig, TransformKind},
    device::{Precision, default_device},
    flow::Flow,
    state_dict::StateDict,
    testing::{configs, deviation, normals, shaken},
    train::{
        loss::negative_log_likelihood,
        weights::{weights, with_weights},
    },
};

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

/// Loss and gradients by burn, in the order of the weights; empty where nothing is trained.
fn by_burn(flow: &Flow, batch: &DMatrix<f64>) -> (f64, Vec<Vec<f64>>) {
    struct Collect<'a>(&'a GradientsParams, Vec<Vec<f64>>);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let grad = self.0.get::<D>(param.id);
            self.1.push(grad.map_or_else(Vec::new, |g| g.try_into_vec_as::<f64>().unwrap()));
        }
    }
    let chain = flow.chain().clone().train();
    let options = flow.precision().on(&default_device().autodiff());
    let data = TensorData::new(batch.as_slice().to_vec(), [batch.ncols(), batch.nrows()]);
    let loss = negative_log_likelihood(&chain, Tensor::from_data(data, options));
    let grads = GradientsParams::from_grads(loss.backward(), &chain);
    let mut collect = Collect(&grads, Vec::new());
    chain.visit(&mut collect);
    (loss.into_scalar::<f64>(), collect.1)
}

fn flow_of(config: &FlowConfig, state: &StateDict, precision: Precision) -> Flow {
    let d = config.features();
    let same = Standardise::new(vec![0.0; d], vec![1.0; d]).unwrap();
    Flow::from_state_dict(config, same, state.clone(), precision, &default_device()).unwrap()
}

/// Every gradient of every configuration against burn in double precision.
///
/// The yardstick is the error of burn in single precision, as for inference: the root mean square of
/// the error may be four times that of burn, the largest error twenty times, each plus 1e-5 of the
/// largest gradient. If rounding changes the sign of a hidden unit, a gradient changes by more; this
/// happens in about one batch of a hundred, so a second pair of batches may be used instead.
#[test]
fn gradients_are_those_of_burn_on_every_configuration() {
    for config in configs() {
        let (state, _) = shaken(&config);
        let [double, single] =
            [Precision::F64, Precision::F32].map(|precision| flow_of(&config, &state, precision));
        let agrees = |seed| {
            let batch = normals(config.features(), 24, seed);
            let (loss, truth) = by_burn(&double, &batch);
            let (_, burns) = by_burn(&single, &batch);
            let mut ours = TrainingFlow::new(&config, weights(single.chain()).unwrap(), 5.0);
            let rows = batch.iter().map(|v| *v as f32).collect();
            let (our_loss, ours) = ours.gradients_of(rows, &mut rng());
            assert!((our_loss - loss).abs() < 1e-4 * (1.0 + loss.abs()), "{our_loss}, {loss}");
            let lengths = |list: &[Vec<f64>]| list.iter().map(Vec::len).collect::<Vec<_>>();
            assert_eq!(lengths(&ours), lengths(&truth), "{config:?}");
            let (ours, burns, truth) = (ours.concat(), burns.concat(), truth.concat());
            let floor = 1e-5 * truth.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            let (ours, burns) = (deviation(&ours, &truth), deviation(&burns, &truth));
            ours[0] <= 4.0 * burns[0] + floor && ours[1] <= 20.0 * burns[1] + floor
        };
        let good = agrees(0) && agrees(1) || [2, 3].into_iter().all(agrees);
        assert!(good, "{config:?}");
    }
}

/// A training step of the reference package: loss, weights and batch statistics afterwards. The
/// reference computes in double precision; Adam's first step moves each weight by the rate in the
/// direction of its gradient's sign, so that weights whose gradient is rounding noise are left out.
#[test]
fn a_step_is_that_of_the_reference_package() {
    for (name, transform, features) in
        [("flow_i", TransformKind::Coupling, 3), ("flow_iii", TransformKind::Autoregressive, 4)]
    {
        let read = |part: &str| {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
            StateDict::read(folder.join(format!("{name}_{part}.safetensors"))).unwrap()
        };
        let builder = FlowConfig::builder(features).transform(transform).hidden(16).steps(2);
        let config = builder.build().unwrap();
        let flow = flow_of(&config, &read("weights"), Precision::F32);
        let golden = read("trainstep");
        let mut ours = TrainingFlow::new(&config, weights(flow.chain()).unwrap(), 5.0);
        let batch = golden.get("batch").unwrap().data.iter().map(|v| *v as f32).collect();
        let (loss, moved) = ours.step(batch, 1e-3, &mut rng());
        let expected = golden.get("loss").unwrap().data[0];
        assert!(moved && (loss - expected).abs() < 1e-5, "{loss} against {expected}");
        let after = flow.clone().with_chain(with_weights(flow.chain(), ours.weights()));
        let mut compared = 0;
        for (tensor, values) in after.state_dict().unwrap().iter() {
            let Some(expected) = golden.get(&format!("after.{tensor}")) else { continue };
            let grads = golden.get(&format!("grad.{tensor}"));
            for (i, (a, e)) in values.data.iter().zip(&expected.data).enumerate() {
                if grads.is_none_or(|g| g.data[i].abs() > 1e-5) && !values.integer {
                    assert!((a - e).abs() < 2e-5 * (1.0 + e.abs()), "{tensor}[{i}]: {a}, {e}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 2_000, "{compared}");
    }
}

#[test]
fn a_step_does_not_depend_on_the_number_of_threads() {
    for transform in [TransformKind::Coupling, TransformKind::Autoregressive] {
        let builder = FlowConfig::builder(4).transform(transform).hidden(96).steps(2).dropout(0.2);
        let config = builder.build().unwrap();
        let (state, _) = shaken(&config);
        let start = weights(flow_of(&config, &state, Precision::F32).chain()).unwrap();
        let go = |threads| {
            let mut flow = TrainingFlow::new(&config, start.clone(), 5.0);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                for step in 0..3 {
                    let batch = normals(4, 500, step).iter().map(|v| *v as f32).collect();
                    assert!(flow.step(batch, 1e-3, &mut rng()).1);
                }
            });
            flow.weights().clone()
        };
        assert_eq!(go(1), go(3));
    }
}
