//! A bijection of one's own: a shift and a scale for each feature, held to what every bijection must
//! do.
//!
//! `cargo run -p flow-core --example own_bijection`

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};
use flow_core::bijection::Bijection;

// ANCHOR: layer
/// $z_i = (x_i - b_i) e^{-a_i}$ with trained $a$ and $b$.
#[derive(Module, Debug)]
struct Affine {
    /// `[d]`
    log_scale: Param<Tensor<1>>,
    /// `[d]`
    shift: Param<Tensor<1>>,
}

impl Affine {
    fn new(log_scale: &[f32], shift: &[f32], device: &Device) -> Self {
        Self {
            log_scale: Param::from_tensor(Tensor::from_floats(log_scale, device)),
            shift: Param::from_tensor(Tensor::from_floats(shift, device)),
        }
    }

    /// The same log-determinant for each of `n` rows.
    fn ln_det(&self, n: usize) -> Tensor<1> {
        self.log_scale.val().sum().repeat_dim(0, n)
    }
}

impl Bijection for Affine {
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let ln_det = -self.ln_det(x.dims()[0]);
        let scale = self.log_scale.val().neg().exp().unsqueeze::<2>();
        ((x - self.shift.val().unsqueeze()) * scale, ln_det)
    }

    fn decode(&self, z: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let ln_det = self.ln_det(z.dims()[0]);
        let scale = self.log_scale.val().exp().unsqueeze::<2>();
        (z * scale + self.shift.val().unsqueeze(), ln_det)
    }
}
// ANCHOR_END: layer

fn main() {
    let device = flow_core::default_device();
    let layer = Affine::new(&[0.3, -0.5], &[1.0, 2.0], &device);
    let x = Tensor::<2>::from_floats([[0.5, 1.0], [-2.0, 4.0]], &device);

    // ANCHOR: contract
    let (z, there) = layer.encode(x.clone());
    let (back, and_back) = layer.decode(z);
    let round_trip = (back - x).abs().max().into_scalar::<f32>();
    let cancel = (there.clone() + and_back).abs().max().into_scalar::<f32>();
    assert!(round_trip < 1e-6 && cancel < 1e-6);
    // The Jacobian is diag(exp(-a)), so its log-determinant is 0.5 - 0.3.
    assert!((there.into_data().iter::<f32>().next().unwrap() - 0.2).abs() < 1e-6);
    // ANCHOR_END: contract
    println!("round trip within {round_trip:e}, log-determinants cancel within {cancel:e}");
}
