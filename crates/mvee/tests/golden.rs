//! The recorded sets of `tests/data`, at the tolerances their manifest states.

use mvee::{Ellipsoid, Mvee};
use nalgebra::{DMatrix, DVector};
use safetensors::SafeTensors;
use serde_json::Value;

struct Golden {
    name: String,
    points: DMatrix<f64>,
    reference: Ellipsoid,
    weights: Vec<f64>,
    ln_volume: f64,
    condition: f64,
}

fn tensor(file: &SafeTensors<'_>, name: &str) -> Vec<f64> {
    let bytes = file.tensor(name).unwrap().data().as_chunks::<8>().0;
    bytes.iter().map(|b| f64::from_le_bytes(*b)).collect()
}

fn golden_sets() -> Vec<Golden> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");
    let manifest = std::fs::read_to_string(format!("{folder}manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let sets = manifest["sets"].as_array().unwrap();
    assert_eq!(sets.len(), 12);
    sets.iter()
        .map(|set| {
            let bytes =
                std::fs::read(format!("{folder}{}", set["file"].as_str().unwrap())).unwrap();
            let file = SafeTensors::deserialize(&bytes).unwrap();
            let d = set["d"].as_u64().unwrap() as usize;
            let n = set["n"].as_u64().unwrap() as usize;
            let shape = DMatrix::from_vec(d, d, tensor(&file, "shape"));
            let center = DVector::from_vec(tensor(&file, "center"));
            Golden {
                name: set["name"].as_str().unwrap().to_owned(),
                points: DMatrix::from_vec(d, n, tensor(&file, "points")),
                reference: Ellipsoid::new(center, shape).unwrap(),
                weights: tensor(&file, "weights"),
                ln_volume: tensor(&file, "log_volume")[0],
                condition: set["condition_of_shape"].as_f64().unwrap(),
            }
        })
        .collect()
}

/// Largest singular value of `reference.L⁻¹ (shape - reference.shape) reference.L⁻ᵀ`.
fn shape_difference(found: &Ellipsoid, reference: &Ellipsoid) -> f64 {
    let d = found.dim();
    let inverse = reference.factor().solve_lower_triangular(&DMatrix::identity(d, d)).unwrap();
    let white = &inverse * found.factor();
    (&white * white.transpose() - DMatrix::identity(d, d)).singular_values().max()
}

#[test]
fn every_golden_set_is_met_at_the_tolerances_of_the_manifest() {
    let mvee = Mvee::builder().tolerance(1e-12).build().unwrap();
    for set in golden_sets() {
        let solution = mvee.solve(set.points.as_view()).unwrap();
        let found = &solution.ellipsoid;
        let name = &set.name;
        let center = set.reference.mahalanobis(found.center().as_slice());
        let shape = shape_difference(found, &set.reference);
        let volume = (found.ln_volume() - set.ln_volume).abs();
        let outside = found.distances(set.points.as_view()).max();
        println!(
            "{name}: center {center:.1e}, shape {shape:.1e}, ln volume {volume:.1e}, gap {:.1e}, \
             outside {outside:.1e}, {} support points, {} iterations, {:?}",
            solution.gap,
            solution.support.len(),
            solution.iterations,
            solution.stopped
        );
        let tolerance = (20.0 * f64::EPSILON * set.condition).max(1e-6);
        assert!(center <= tolerance, "{name}: center {center:e}");
        assert!(shape <= tolerance, "{name}: shape {shape:e}");
        assert!(volume <= 1e-9, "{name}: ln volume {volume:e}");
        assert!(outside <= 1e-9, "{name}: outside {outside:e}");
        let total: f64 = solution.weights.iter().sum();
        assert!((total - 1.0).abs() < 1e-12 && solution.weights.iter().all(|w| *w > 0.0));
    }
}

#[test]
fn dual_weights_agree_where_they_are_unique() {
    let mvee = Mvee::builder().tolerance(1e-12).build().unwrap();
    for set in golden_sets() {
        // Duplicates and cube corners leave a choice of weights.
        if set.name.contains("cube") || set.name.contains("duplicates") {
            continue;
        }
        let solution = mvee.solve(set.points.as_view()).unwrap();
        let dense = solution.dense_weights(set.points.ncols());
        let difference =
            dense.iter().zip(&set.weights).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(difference < 1e-6, "{}: {difference:e}", set.name);
    }
}

#[test]
fn the_default_tolerance_is_kept() {
    for set in golden_sets() {
        let solution = Mvee::default().solve(set.points.as_view()).unwrap();
        assert!(solution.converged() && solution.gap <= 1e-7, "{}: {:e}", set.name, solution.gap);
        let excess = solution.ellipsoid.ln_volume() - set.ln_volume;
        // Never smaller than the optimum, never larger than the certificate says.
        let rounding = 1e-9;
        assert!(excess >= -rounding, "{}: {excess:e}", set.name);
        assert!(excess <= solution.ln_volume_gap() + rounding, "{}: {excess:e}", set.name);
        assert!(solution.ellipsoid.distances(set.points.as_view()).max() <= 1e-9);
    }
}
