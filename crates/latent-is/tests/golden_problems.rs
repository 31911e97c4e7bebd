//! The problem zoo against its golden check points: limit states to 1e-10 (relative, or absolute near
//! zero; 1e-8 for gmm-2, which finds roots inside its map), maps and densities likewise.

mod common;

use latent_is::latent::PushForward;
use latent_is::{Density, LimitState, Transport, problems};
use nalgebra::DMatrix;

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn every_problem_reproduces_its_check_points() {
    let golden = common::json("problems/problems.json");
    let golden = golden["problems"].as_array().unwrap();
    assert_eq!(golden.len(), problems::all().len());
    for entry in golden {
        let name = entry["name"].as_str().unwrap();
        let problem = problems::by_name(name).unwrap();
        let tolerance = if name == "gmm-2" { 1e-8 } else { 1e-10 };
        let close = |what: &str, actual: f64, expected: f64| {
            let bound = tolerance * expected.abs().max(1.0);
            assert!((actual - expected).abs() <= bound, "{name} {what}: {actual} {expected}");
        };
        assert_eq!(problem.dim() as u64, entry["dim"].as_u64().unwrap());
        close("pf", problem.pf() / entry["pf"].as_f64().unwrap(), 1.0);
        close("se", problem.pf_rel_se(), entry["pf_rel_se"].as_f64().unwrap());
        for check in entry["checks"].as_array().unwrap() {
            let u = DMatrix::from_vec(problem.dim(), 1, numbers(&check["u"]));
            close("g", problem.evaluate(u.as_view()).unwrap()[0], check["g"].as_f64().unwrap());
            let Some(target) = problem.target() else {
                assert!(check.get("x").is_none());
                continue;
            };
            let x = target.map.decode(u.as_view()).unwrap().points;
            x.iter().zip(numbers(&check["x"])).for_each(|(a, e)| close("x", *a, e));
            let ln_pdf = PushForward::new(target.map).ln_pdf(x.as_view()).unwrap()[0];
            close("density", ln_pdf, check["log_density_x"].as_f64().unwrap());
            let g = target.limit_state.evaluate(x.as_view()).unwrap()[0];
            close("g of x", g, check["g"].as_f64().unwrap());
        }
    }
}
