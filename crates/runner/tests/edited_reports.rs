//! Results in JSON that were edited: refused with the key, before anything is drawn.

use std::path::{Path, PathBuf};

use latent_is_runner::report::input::ReportInput;
use serde_json::{Value, json};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn result(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(shipped(name)).unwrap()).unwrap()
}

/// The message about a result with another value at `pointer`; without one, the key is removed.
fn edited(name: &str, pointer: &str, value: Option<Value>) -> String {
    let mut result = result(name);
    let place = result.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"));
    if let Some(value) = value {
        *place = value;
    } else {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        result.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
    }
    match ReportInput::parse(&result.to_string()) {
        Ok(_) => panic!("{name} is accepted with another {pointer}"),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn an_edited_estimate_is_refused_with_the_key() {
    ReportInput::parse(&result("estimate.json").to_string()).unwrap();
    for (pointer, value, expected) in [
        ("/probability", json!(1.5), "`probability` must lie between 0 and 1, got 1.5"),
        ("/probability", json!(-0.1), "`probability` must lie between 0 and 1"),
        ("/probability", json!(0.5), "`probability` is 0.5, but `estimate.ln_pf`"),
        ("/probability", json!("high"), "`probability`: invalid type: string"),
        ("/estimate/ln_pf", json!("NaN"), "`estimate.ln_pf` must be the logarithm"),
        ("/estimate/ln_pf", json!("inf"), "`estimate.ln_pf` must be the logarithm"),
        ("/estimate/ln_pf", json!(0.7), "`estimate.ln_pf` must be the logarithm"),
        ("/estimate/cov", json!("NaN"), "`estimate.cov` must not be negative, got NaN"),
        ("/estimate/cov", json!(-0.1), "`estimate.cov` must not be negative"),
        ("/estimate/counts/draws", json!(-5), "`estimate.counts.draws`: invalid value"),
        ("/estimate/counts/draws", json!(0), "`estimate.counts.failures` is"),
        (
            "/estimate/counts/draws",
            json!(u64::MAX),
            "`estimate.counts.draws` is 18446744073709551615",
        ),
        ("/estimate/counts/evaluations", json!(1.5), "`estimate.counts.evaluations`: invalid type"),
        ("/estimate/weights/ess", json!(-1.0), "`estimate.weights.ess` must not be negative"),
        ("/estimate/weights/max_share", json!(2.0), "`estimate.weights.max_share` must lie"),
        ("/estimate/search/levels/0/evaluations", json!(u64::MAX), "levels[0].evaluations"),
        ("/estimate/sample/ln_w", json!([[], 0, null]), "`estimate.sample.ln_w` has 0 numbers"),
        ("/interval/ln_lower", json!("NaN"), "`interval` must go from"),
        ("/interval/ln_lower", json!(-1e-9), "`interval` must go from"),
        ("/interval/ln_upper", json!(0.5), "`interval` must go from"),
        ("/interval/ln_upper", json!(null), "`interval.ln_upper`: invalid type: null"),
        ("/features", json!([]), "`features` is empty"),
        ("/features", json!(["x"]), "`mean` has 3 numbers, not 1"),
        ("/features/1", json!(7), "`features[1]`: invalid type"),
        ("/mean", json!([1.0]), "`mean` has 1 numbers, not 3"),
        ("/sd", json!([]), "`sd` has 0 numbers, not 3"),
        ("/sd/1", json!(0.0), "`sd[1]` must be positive"),
        ("/sd/1", json!(-1.0), "`sd[1]` must be positive"),
        ("/draws/1", json!([]), "`draws[1]` has 0 numbers, not 3"),
        ("/failures/0", json!([1.0, 2.0]), "`failures[0]` has 2 numbers, not 3"),
        ("/failures/0/1", json!(null), "`failures[0][1]`: invalid type: null"),
        ("/target_cov", json!(-1.0), "`target_cov` must not be negative"),
        ("/agreement/outcomes", json!(0), "`agreement.outcomes` must be positive"),
        (
            "/agreement/levels/0/reached",
            json!(1_000_000),
            "`agreement.levels[0].reached` is 1000000",
        ),
        ("/agreement/levels/0/flow", json!(1.1), "`agreement.levels[0].flow` must lie"),
        ("/method", json!("guess"), "`method`: unknown variant"),
        ("/verdict/status", json!("Fine"), "`verdict.status`: unknown variant"),
    ] {
        let error = edited("estimate.json", pointer, Some(value.clone()));
        assert!(error.contains(expected), "{pointer} = {value}: {error}");
    }
    let error = edited("estimate.json", "/estimate/counts", None);
    assert!(error.contains("`estimate`: missing field `counts`"), "{error}");
}

#[test]
fn an_edited_estimate_of_a_model_is_refused_with_the_key() {
    ReportInput::parse(&result("model_estimate.json").to_string()).unwrap();
    for (pointer, value, expected) in [
        (
            "/format",
            json!("latent-is estimate of a model, version 1"),
            "run `estimate --model --json` again",
        ),
        ("/format", json!(7), "its format is ``"),
        ("/probability", json!(1.5), "`probability` must lie between 0 and 1, got 1.5"),
        ("/estimate/ln_pf", json!(0.7), "`estimate.ln_pf` must be the logarithm"),
        ("/estimate/counts/draws", json!(0), "`estimate.counts.failures` is"),
        ("/interval/ln_lower", json!(0.5), "`interval` must go from"),
        ("/target_cov", json!(-1.0), "`target_cov` must not be negative"),
        ("/looked_up", json!(u64::MAX), "`looked_up` is 18446744073709551615"),
        ("/inputs", json!([]), "`inputs` is empty"),
        ("/outputs", json!(["a", "b"]), "`failures[0].outputs` has 1 numbers, not 2"),
        ("/draws/1", json!([]), "`draws[1]` has 0 numbers, not 3"),
        ("/failures/0/inputs", json!([1.0]), "`failures[0].inputs` has 1 numbers, not 3"),
        ("/failures/0/seed", json!(-1), "`failures[0].seed`: invalid value"),
        ("/method", json!("guess"), "`method`: unknown variant"),
        ("/counted_as", json!("maybe"), "`counted_as`: unknown variant"),
    ] {
        let error = edited("model_estimate.json", pointer, Some(value.clone()));
        assert!(error.contains(expected), "{pointer} = {value}: {error}");
    }
}

#[test]
fn an_edited_evaluation_is_refused_with_the_key() {
    ReportInput::parse(&result("results.json").to_string()).unwrap();
    for (pointer, value, expected) in [
        ("/rows", json!([]), "`rows` is empty"),
        ("/rows/0/pf_mean", json!(1.5), "`rows[0].pf_mean` must lie between 0 and 1, got 1.5"),
        ("/rows/0/pf_mean", json!(null), "`rows[0].pf_mean`: invalid type: null"),
        ("/rows/0/pf_sd", json!(-1.0), "`rows[0].pf_sd` must not be negative"),
        ("/rows/0/flagged", json!(7), "`rows[0].flagged` must lie"),
        ("/rows/0/trials", json!(1000), "`rows[0].trials` is 1000, but `trials` has"),
        ("/rows/0/event", json!("other"), "`rows[0].event`: unknown variant"),
        ("/trials", json!([]), "`trials` is empty"),
        ("/trials/0/pf", json!(-1e-9), "`trials[0].pf` must lie"),
        ("/trials/0/coverage", json!(2.0), "`trials[0].coverage` must lie"),
        ("/trials/0/evaluations", json!(-1), "`trials[0]"),
        ("/trials/0/levels/0/evaluations", json!(u64::MAX), "`trials[0].levels[0].evaluations` is"),
        ("/reference/pf", json!(0.0), "`reference.pf` must be positive"),
        ("/reference/se", json!(-1.0), "`reference.se` must not be negative"),
        ("/flow/pf", json!(3.0), "`flow.pf` must lie"),
        ("/flow_quality/features/0/distance", json!(-1.0), "`flow_quality.features[0].distance`"),
        ("/flow_quality/regions/0/flow/pf", json!(2.0), "`flow_quality.regions[0].flow.pf`"),
        ("/flow_training/seconds", json!(-1.0), "`flow_training.seconds` must not be negative"),
        ("/experiment/budget", json!(0), "in `experiment`, `budget` must be positive"),
        ("/experiment/trials", json!("many"), "`experiment.trials`: invalid type"),
        ("/system", json!(null), "`system`: invalid type: null"),
    ] {
        let error = edited("results.json", pointer, Some(value.clone()));
        assert!(error.contains(expected), "{pointer} = {value}: {error}");
    }
}

#[test]
fn an_edited_study_is_refused_with_the_key() {
    ReportInput::parse(&result("study.json").to_string()).unwrap();
    for (pointer, value, expected) in [
        ("/format", json!("latent-is study, version 0"), "run `study` again"),
        ("/certified/probability", json!(1.5), "`probability` must lie between 0 and 1"),
        ("/rows/mean_weight", json!(-1.0), "`rows.mean_weight` must not be negative"),
        ("/levels/0/mode", json!(u64::MAX), "`levels[0].mode` is"),
        ("/levels/0/ln_p", json!(0.1), "`levels[0]` has the threshold"),
        ("/levels/1/interval/ln_lower", json!(0.5), "`levels[1].interval` must go from"),
        ("/flow/tilt/nominal_share", json!(0.0), "nominal_share must be in (0, 1]"),
        ("/flow/tilt/ln_means", json!([]), "as many means as scores"),
        ("/flow/tilt/scores/0/ln_p", json!([-6.6, 0.0]), "as many probabilities as thresholds"),
        ("/flow/tilt/scores/0/ln_p", json!([-6.6, -7.0, 0.0]), "increasing"),
        ("/flow/tilt/scores/0/thresholds", json!([0.0, 20.0, 20.0]), "increasing"),
    ] {
        let error = edited("study.json", pointer, Some(value.clone()));
        assert!(error.contains(expected), "{pointer} = {value}: {error}");
    }
}
