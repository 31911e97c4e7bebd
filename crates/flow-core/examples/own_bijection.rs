//! A new bijection: a shift and a scale per feature, with the checks that every bijection must pass.
//!
//! `cargo run -p flow-core --example own_bijection`

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};
use flow_core::bijection::Bijection;

// ANCHOR: layer
/// $u_i = (x_i - b_i) e^{-a_i}$ with trained $a$ and $b$.
#[derive(Module, Debug)]
struct Affine {
    /// `[d]`
    ln_scale: Param<Tensor<1>>,
    /// `[d]`
    shift: Param<Tensor<1>>,
}

impl Affine {
    fn new(ln_scale: &[f32], shift: &[f32], device: &Device) -> Self {
        Self {
            ln_scale: Param::from_tensor(Tensor::from_floats(ln_scale, device)),
            shift: Param::from_tensor(Tensor::from_floats(shift, device)),
        }
    }

    /// The log-determinant of decoding, for `n` rows.
    fn ln_det(&self, n: usize) -> Tensor<1> {
        self.ln_scale.val().sum().repeat_dim(0, n)
    }
}

impl Bijection for Affine {
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let ln_det = -self.ln_det(x.dims()[0]);
        let scale = self.ln_scale.val().neg().exp().unsqueeze::<2>();
        ((x - self.shift.val().unsqueeze()) * scale, ln_det)
    }

    fn decode(&self, u: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let ln_det = self.ln_det(u.dims()[0]);
        let scale = self.ln_scale.val().exp().unsqueeze::<2>();
        (u * scale + self.shift.val().unsqueeze(), ln_det)
    }
}
// ANCHOR_END: layer

fn main() {
    let device = flow_core::default_device();
    let layer = Affine::new(&[0.3, -0.5], &[1.0, 2.0], &device);
    let x = Tensor::<2>::from_floats([[0.5, 1.0], [-2.0, 4.0]], &device);

    // ANCHOR: contract
    let (u, ln_det) = layer.encode(x.clone());
    let (back, ln_det_back) = layer.decode(u);
    let round_trip = (back - x).abs().max().into_scalar::<f32>();
    let cancel = (ln_det.clone() + ln_det_back).abs().max().into_scalar::<f32>();
    assert!(round_trip < 1e-6 && cancel < 1e-6);
    // The Jacobian is diag(exp(-a)), so its log-determinant is 0.5 - 0.3.
    assert!((ln_det.into_data().iter::<f32>().next().unwrap() - 0.2).abs() < 1e-6);
    // ANCHOR_END: contract
    println!("error of the round trip {round_trip:e}, sum of the log-determinants {cancel:e}");
}
