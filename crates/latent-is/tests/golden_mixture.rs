//! Weighted expectation-maximisation against an independent implementation.
//!
//! The tolerance is 1e-9 relative to the size of each array: both sides work in double precision and
//! differ in the order of their sums, which up to sixty iterations amplify.

mod common;

use latent_is::mixture::{EmSettings, EmTrace, expectation_maximization};
use nalgebra::DMatrix;
use safetensors::SafeTensors;

const TOLERANCE: f64 = 1e-9;

fn assert_close(what: &str, actual: impl IntoIterator<Item = f64>, expected: &[f64]) {
    let scale = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let actual: Vec<f64> = actual.into_iter().collect();
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (a, e) in actual.iter().zip(expected) {
        assert!((a - e).abs() <= TOLERANCE * scale, "{what}: {a} against {e}");
    }
}

fn assert_parameters(file: &SafeTensors<'_>, at: &str, trace: &EmTrace) {
    let q = &trace.mixture;
    assert_close(at, q.weights().iter().copied(), &common::vector(file, &format!("{at}.pi")));
    assert_close(at, q.means().iter().copied(), &common::vector(file, &format!("{at}.mu")));
    let covariances =
        (0..q.len()).flat_map(|k| q.covariance(k).iter().copied().collect::<Vec<_>>());
    assert_close(at, covariances, &common::vector(file, &format!("{at}.cov")));
}

#[test]
fn parameters_likelihood_and_stopping_agree() {
    let manifest = common::json("gmm/manifest.json");
    let ridge = manifest["ridge"].as_f64().unwrap();
    for case in manifest["cases"].as_array().unwrap() {
        let name = case["file"].as_str().unwrap();
        let data = common::bytes(&format!("gmm/{name}"));
        let file = SafeTensors::deserialize(&data).unwrap();
        let x = common::columns(&file, "x");
        let w = common::vector(&file, "w");
        let resp = common::columns(&file, "r0");
        let run = |max_iterations, tolerance| {
            let settings = EmSettings { ridge, tolerance, max_iterations, guarded: false };
            expectation_maximization(x.as_view(), &w, &resp, &settings).unwrap()
        };
        for (iterations, at) in [(1, "iter01"), (2, "iter02"), (10, "iter10"), (60, "iter60")] {
            assert_parameters(&file, at, &run(iterations, 0.0));
        }
        let all = run(60, 0.0);
        assert_close("loglik", all.ln_likelihood, &common::vector(&file, "loglik"));
        let resp: DMatrix<f64> = all.mixture.responsibilities(x.as_view()).unwrap();
        assert_close("resp", resp.iter().copied(), &common::vector(&file, "final_resp"));
        let stopped = run(500, 1e-5);
        assert!(stopped.converged);
        assert_eq!(stopped.ln_likelihood.len() as u64, case["stop_iteration"].as_u64().unwrap());
        assert_parameters(&file, "stop", &stopped);
    }
}
