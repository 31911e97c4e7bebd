//! One training step against `nflows` on torch: loss, gradients, clipping, Adam, batch statistics.

mod common;

use burn::{
    module::{Module, ModuleMapper, Param},
    optim::GradientsParams,
    tensor::Tensor,
};
use common::{Golden, flow};
use flow_core::{
    Precision,
    train::{GlobalAdam, gradient_norm, negative_log_likelihood},
};

/// Puts the gradient of each parameter in its place, so that it can be read by name.
struct ShowGradients<'a>(&'a GradientsParams);

impl ModuleMapper for ShowGradients<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.get::<D>(param.id) {
            Some(grad) => param.map(|_| grad),
            // Running statistics are not trained.
            None => param,
        }
    }
}

#[test]
fn one_step_of_a_coupling_flow() {
    one_step("flow_i");
}

#[test]
fn one_step_of_an_autoregressive_flow() {
    one_step("flow_iii");
}

fn one_step(name: &str) {
    let golden = Golden::read(&format!("{name}_trainstep.safetensors"));
    let flow = flow(name, Precision::F64);
    let chain = flow.chain().clone().train();
    let loss = negative_log_likelihood(&chain, golden.tensor::<2>("batch").autodiff());
    golden.check("loss", &common::vec(loss.clone()));

    let grads = GradientsParams::from_grads(loss.backward(), &chain);
    let shown = chain.clone().map(&mut ShowGradients(&grads));
    let shown = flow.clone().with_chain(shown).state_dict().unwrap();
    let mut compared = 0;
    for (name, tensor) in shown.iter() {
        if golden.names().any(|n| n == format!("grad.{name}")) {
            golden.check(&format!("grad.{name}"), &tensor.data);
            compared += 1;
        }
    }
    assert_eq!(compared, golden.names().filter(|n| n.starts_with("grad.")).count());

    let norm = gradient_norm(&grads, &chain);
    golden.check("grad_norm", &[norm]);

    let after = GlobalAdam::new(5.0).step(1e-3, &chain, &grads).unwrap();
    let after = flow.with_chain(after).state_dict().unwrap();
    let mut compared = 0;
    for (name, tensor) in after.iter().filter(|(_, tensor)| !tensor.integer) {
        golden.check(&format!("after.{name}"), &tensor.data);
        compared += 1;
    }
    let tracked = |n: &&str| n.starts_with("after.") && !n.ends_with("num_batches_tracked");
    assert_eq!(compared, golden.names().filter(tracked).count());
}
