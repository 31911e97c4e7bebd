//! Whole flows against `nflows`: both directions, layer by layer, in double and single precision.

mod common;

use burn::tensor::Tensor;
use common::{Golden, flow, largest_difference, path, vec};
use flow_core::Precision;
use nalgebra::DMatrix;

const FLOWS: [&str; 5] = ["flow_i", "flow_ii", "flow_iii", "flow_iv", "flow_v_extra"];

fn columns(golden: &Golden, name: &str) -> DMatrix<f64> {
    let tensor = golden.get(name);
    DMatrix::from_column_slice(tensor.shape[1], tensor.shape[0], &tensor.data)
}

#[test]
fn both_directions_in_double_precision() {
    for name in FLOWS {
        let golden = Golden::read(&format!("{name}_io.safetensors"));
        let flow = flow(name, Precision::F64);
        let x = columns(&golden, "x");
        let mapped = flow.encode(x.as_view()).unwrap();
        golden.check("z", mapped.points.as_slice());
        golden.check("logabsdet", mapped.ln_det.as_slice());
        golden.check("log_prob", flow.ln_pdf(x.as_view()).unwrap().as_slice());
        let mapped = flow.decode(columns(&golden, "u").as_view()).unwrap();
        golden.check("x_of_u", mapped.points.as_slice());
        golden.check("inv_logabsdet", mapped.ln_det.as_slice());
    }
}

#[test]
fn every_layer_in_double_precision() {
    for name in FLOWS {
        let golden = Golden::read(&format!("{name}_io.safetensors"));
        let flow = flow(name, Precision::F64);
        let chain = flow.chain();
        let head = |name: &str| golden.tensor::<2>(name).narrow(0, 0, 32);

        let mut x: Tensor<2> = head("x");
        for k in 0..chain.len() {
            let (u, ln_det) = chain.layer(k).unwrap().encode(x);
            golden.check(&format!("trace.{k:02}.output"), &vec(u.clone()));
            golden.check(&format!("trace.{k:02}.logabsdet"), &vec(ln_det));
            x = u;
        }
        let mut u: Tensor<2> = head("u");
        for k in (0..chain.len()).rev() {
            let (x, ln_det) = chain.layer(k).unwrap().decode(u);
            golden.check(&format!("inv_trace.{k:02}.output"), &vec(x.clone()));
            golden.check(&format!("inv_trace.{k:02}.logabsdet"), &vec(ln_det));
            u = x;
        }
    }
}

/// The yardstick is the error of torch in single precision. Rounding differs between two correct
/// implementations, so three times that error is allowed.
#[test]
fn both_directions_in_single_precision() {
    for name in FLOWS {
        let golden = Golden::read(&format!("{name}_io.safetensors"));
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path(&format!("{name}.json"))).unwrap())
                .unwrap();
        let check = |output: &str, actual: &[f64]| {
            let torch = json["f32_torch_max_abs_dev"][output].as_f64().unwrap();
            let worst = largest_difference(actual, &golden.get(output).data);
            assert!(worst <= 3.0 * torch, "{name} {output}: {worst:e}, torch {torch:e}");
        };
        let flow = flow(name, Precision::F32);
        let x = columns(&golden, "x");
        let mapped = flow.encode(x.as_view()).unwrap();
        check("z", mapped.points.as_slice());
        check("logabsdet", mapped.ln_det.as_slice());
        check("log_prob", flow.ln_pdf(x.as_view()).unwrap().as_slice());
        let mapped = flow.decode(columns(&golden, "u").as_view()).unwrap();
        check("x_of_u", mapped.points.as_slice());
        check("inv_logabsdet", mapped.ln_det.as_slice());
    }
}
