//! Distribution of the outcomes against 1,000,000 runs of the reference.
//!
//! Eight seeds of 20,000 runs, pooled. Every number must lie within four standard errors (both
//! sides' sampling errors) of the reference: 12 means, 12 standard deviations, 66 correlations, 84
//! percentiles, 3 + 3 probabilities; false alarm 180 x 6.3e-5 = 1.1 %. Standard errors of standard
//! deviations use the reference's kurtosis, since one reference run in a million ends 81 standard
//! deviations out. The scatter of the means over the seeds must be what their standard errors say.

mod common;

use common::{load, path};
use nalgebra::{DMatrix, DVector};
use serde_json::Value;
use sim_core::{Model, Simulator};
use sim_gcas::{Criterion, Ellipsoids, Gcas};

const SEEDS: u64 = 8;
const RUNS: usize = 20_000;
const N: f64 = 160_000.0;
const REFERENCE_N: f64 = 1e6;

fn reference() -> Value {
    serde_json::from_slice(&std::fs::read(path("distribution.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn within_four(what: &str, deviation: f64, standard_error: f64) {
    let z = deviation / standard_error;
    assert!(z.abs() <= 4.0, "{what}: {z:.2} standard errors off");
}

#[test]
fn outcomes_follow_the_reference_distribution() {
    let reference = reference();
    let [mean, sd, kurtosis] = ["mean", "std", "kurtosis"].map(|key| numbers(&reference[key]));
    let gcas = Gcas::default();
    let z: Vec<DMatrix<f64>> = (0..SEEDS)
        .map(|seed| {
            let mut x = gcas.simulate(RUNS, seed);
            for mut outcome in x.column_iter_mut() {
                for i in 0..12 {
                    outcome[i] = (outcome[i] - mean[i]) / sd[i];
                }
            }
            x
        })
        .collect();
    let pooled = |f: &dyn Fn(&[f64]) -> f64| -> (f64, f64) {
        let values = z.iter().flat_map(|z| z.column_iter().map(|c| f(c.as_slice())));
        let (sum, squares) = values.fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
        (sum / N, squares / N - (sum / N).powi(2))
    };
    let shrink = (1.0 / N + 1.0 / REFERENCE_N).sqrt();

    for i in 0..12 {
        within_four(&format!("mean {i}"), pooled(&|z| z[i]).0, shrink);
        let variance = pooled(&|z| z[i] * z[i]).0;
        let standard_error = 0.5 * (kurtosis[i] - 1.0).sqrt() * shrink;
        within_four(&format!("sd {i}"), variance.sqrt() - 1.0, standard_error);

        // The squares of 8 standard normal numbers sum to 0.6 .. 31 but for 2.7e-4 + 1.4e-4.
        let spread: f64 = z.iter().map(|z| z.row(i).mean().powi(2) * RUNS as f64).sum();
        assert!((0.6..31.0).contains(&spread), "mean {i}: chi-square {spread:.1} of {SEEDS}");
    }

    for i in 0..12 {
        let row = numbers(&reference["correlation"][i]);
        for (j, rho) in row.into_iter().enumerate().take(i) {
            // To first order a correlation deviates by the mean of this.
            let (deviation, variance) =
                pooled(&|z| z[i] * z[j] - rho - 0.5 * rho * (z[i] * z[i] + z[j] * z[j] - 2.0));
            within_four(&format!("correlation {i} {j}"), deviation, variance.sqrt() * shrink);
        }
    }

    for (k, percent) in numbers(&reference["percent"]).into_iter().enumerate() {
        let p = percent / 100.0;
        for (i, value) in numbers(&reference["percentiles"][k]).into_iter().enumerate() {
            let threshold = (value - mean[i]) / sd[i];
            let below = pooled(&|z| f64::from(u8::from(z[i] < threshold))).0;
            let what = format!("percentile {percent} of {i}");
            within_four(&what, below - p, (p * (1.0 - p)).sqrt() * shrink);
        }
    }
}

/// Exact ellipsoids of the reference rows, in the order 1, 2.
fn ellipsoids() -> [Ellipsoids; 3] {
    let data = load("ellipsoids");
    let array = |name: &str| -> [f64; 12] { data[name].as_slice().try_into().unwrap() };
    let body = |i: usize| {
        let center = DVector::from_column_slice(&data[&format!("exact_centre{i}")]);
        let factor = DMatrix::from_row_slice(12, 12, &data[&format!("exact_cholesky{i}")]);
        (center, factor)
    };
    [vec![body(1)], vec![body(2)], vec![body(1), body(2)]].map(|bodies| {
        Ellipsoids::new(array("normaliser_mean"), array("normaliser_std"), bodies).unwrap()
    })
}

#[test]
fn failure_probabilities_with_the_simulator_in_the_loop() {
    let reference = reference();
    let mut expected = vec![(Criterion::Thresholds, numbers(&reference["p_regions_union"]))];
    let names = ["p_ellipsoid1", "p_ellipsoid2", "p_union"];
    for (name, body) in names.into_iter().zip(ellipsoids()) {
        let value = numbers(&reference["ellipsoids_exact"][name]);
        expected.push((Criterion::Ellipsoids(body), value));
    }
    let n = 50_000;
    let gcas = Gcas::default();
    let w = gcas.inputs().sample(n, 17).unwrap();
    let x = gcas.evaluate(w.as_view(), &vec![0; n]).unwrap().outputs;
    for (criterion, p) in expected {
        let g: Vec<f64> = x.column_iter().map(|x| criterion.limit(x.as_slice())).collect();
        assert!(g.iter().all(|g| g.is_finite()));
        let estimate = g.iter().filter(|g| **g <= 0.0).count() as f64 / n as f64;
        let standard_error = (p[0] * (1.0 - p[0]) / n as f64 + p[1] * p[1]).sqrt();
        within_four(&format!("{criterion:?}"), estimate - p[0], standard_error);
    }
}

#[test]
fn each_region_has_its_share() {
    let reference = reference();
    let thresholds = &reference["region_thresholds_raw"];
    let (pitch, altitude) =
        (thresholds["theta"].as_f64().unwrap(), thresholds["h"].as_f64().unwrap());
    let x = Gcas::default().simulate(50_000, 23);
    let share = |row: usize, f: &dyn Fn(f64) -> bool| {
        x.row(row).iter().filter(|v| f(**v)).count() as f64 / x.ncols() as f64
    };
    let shares = [share(3, &|v| v > pitch), share(10, &|v| v < altitude)];
    for (share, key) in shares.into_iter().zip(["p_region1", "p_region2"]) {
        let p = numbers(&reference[key]);
        let standard_error = (p[0] * (1.0 - p[0]) / x.ncols() as f64 + p[1] * p[1]).sqrt();
        within_four(key, share - p[0], standard_error);
    }
}

#[test]
fn rows_that_define_an_ellipsoid_lie_in_it() {
    let data = load("sample");
    let [nose_high, low, _] = ellipsoids().map(Criterion::Ellipsoids);
    let mut rows = [0; 2];
    for x in data["features"].chunks_exact(12) {
        for (row, (fails, body)) in
            rows.iter_mut().zip([(x[3] > 0.3249507, &nose_high), (x[10] < -97.56674, &low)])
        {
            if fails {
                *row += 1;
                assert!(body.limit(x) < 1e-5, "{}", body.limit(x));
            }
        }
    }
    assert!(rows[0] > 20 && rows[1] > 20, "{rows:?}");
}
