//! Density and coverage against the `prdc` package: counts, so they agree exactly.

mod common;

use latent_is::metrics::KnnReference;
use safetensors::SafeTensors;

#[test]
fn density_and_coverage_agree() {
    let manifest = common::json("prdc/manifest.json");
    let k = manifest["nearest_k"].as_u64().unwrap() as usize;
    for pair in manifest["pairs"].as_array().unwrap() {
        let data = common::bytes(&format!("prdc/{}", pair["file"].as_str().unwrap()));
        let file = SafeTensors::deserialize(&data).unwrap();
        let reference = KnnReference::new(common::columns(&file, "real").as_view(), k).unwrap();
        let fake = common::columns(&file, "fake");
        let result = reference.density_coverage(fake.as_view()).unwrap();
        for (what, actual) in [("density", result.density), ("coverage", result.coverage)] {
            let expected = pair[what].as_f64().unwrap();
            assert!((actual - expected).abs() < 1e-12, "{what}: {actual} against {expected}");
        }
    }
}
