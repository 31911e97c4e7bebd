//! The spline and the LU layer against `nflows`.

mod common;

use common::{Golden, vec};
use flow_core::bijection::{Bijection, LuLinear, RawKnots, RqSpline};

#[test]
fn spline() {
    let golden = Golden::read("rq_spline.safetensors");
    let cases = [
        (8, 3.0, [1e-3, 1e-3, 1e-3]),
        (8, 3.0, [1e-3, 1e-3, 1e-3]),
        (10, 1.0, [1e-3, 1e-3, 1e-3]),
        (3, 5.0, [0.01, 0.005, 1e-4]),
    ];
    for (case, (bins, tail_bound, [min_bin_width, min_bin_height, min_derivative])) in
        cases.into_iter().enumerate()
    {
        let spline = RqSpline { bins, tail_bound, min_bin_width, min_bin_height, min_derivative };
        let name = |part: &str| format!("case{case}.{part}");
        let rank3 = |part: &str| golden.tensor::<2>(&name(part)).unsqueeze_dim(1);
        let raw = RawKnots {
            widths: rank3("unnorm_widths"),
            heights: rank3("unnorm_heights"),
            derivatives: rank3("unnorm_derivatives"),
        };
        let input = |part: &str| golden.tensor::<1>(&name(part)).unsqueeze_dim(1);

        let (z, ln_slope) = spline.encode(input("forward_input"), raw.clone());
        golden.check(&name("forward_output"), &vec(z));
        golden.check(&name("forward_logabsdet"), &vec(ln_slope));
        let (x, ln_slope) = spline.decode(input("inverse_input"), raw);
        golden.check(&name("inverse_output"), &vec(x));
        golden.check(&name("inverse_logabsdet"), &vec(ln_slope));
    }
}

#[test]
fn lu_linear() {
    let golden = Golden::read("lu_linear.safetensors");
    for case in 0..3 {
        let name = |part: &str| format!("case{case}.{part}");
        let layer = LuLinear::from_entries(
            golden.tensor(&name("lower_entries")),
            golden.tensor(&name("upper_entries")),
            golden.tensor(&name("unconstrained_upper_diag")),
            golden.tensor(&name("bias")),
        );
        let (z, ln_det) = layer.encode(golden.tensor(&name("x")));
        golden.check(&name("y"), &vec(z));
        golden.check(&name("logabsdet"), &vec(ln_det));
        let (x, ln_det) = layer.decode(golden.tensor(&name("inverse_input")));
        // The inverse amplifies rounding by the condition number, 1e6 in case 2.
        let expected = golden.get(&name("inverse_output"));
        let scale = expected.data.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
        let worst = common::largest_difference(&vec(x), &expected.data);
        assert!(worst <= 1e-10 * scale, "case {case}: {worst:e} at scale {scale:e}");
        golden.check(&name("inverse_logabsdet"), &vec(ln_det));
    }
}
