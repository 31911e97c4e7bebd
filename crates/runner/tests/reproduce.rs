//! The program as a user runs it: `latent-is reproduce`.

use std::{
    path::Path,
    process::{Command, Output},
};

use flow_core::{
    Flow, FlowConfig, FlowFile, Precision, TrainingRecord, bijection::Standardise, default_device,
};
use serde_json::Value;

/// A small version of the shipped experiment, written into `folder`.
fn small_experiment(folder: &Path) -> String {
    let text = include_str!("../experiments/robot.toml")
        .replace("reference_runs = 1_000_000", "reference_runs = 50_000")
        .replace("flow_draws = 8_000_000", "flow_draws = 100_000")
        .replace("metric_draws = 10_000", "metric_draws = 1_000");
    let path = folder.join("small.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn run(folder: &Path, threads: u32, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_latent-is"))
        .args(arguments)
        .current_dir(folder)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .output()
        .unwrap()
}

/// `results.json` of a small run, without times.
fn results(threads: u32, arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let experiment = small_experiment(folder.path());
    let mut all = vec!["reproduce", "--system", "robot", "--experiment", &experiment];
    all.extend(arguments);
    let output = run(folder.path(), threads, &all);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let folder = folder.path().join("results/robot");
    for file in ["levels", "fidelity", "samples"] {
        let svg = std::fs::read_to_string(folder.join(file).with_extension("svg")).unwrap();
        assert!(svg.contains("robot"), "{file}");
        let png = std::fs::read(folder.join(file).with_extension("png")).unwrap();
        assert!(png.starts_with(b"\x89PNG"), "{file}");
    }
    assert!(!folder.join("trials.jsonl").exists());
    for file in ["flow.md", "flow.tex", "settings.md", "settings.tex"] {
        assert!(folder.join(file).exists(), "{file}");
    }
    for file in ["table.md", "table.csv", "table.tex"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains("latent"), "{file}: {text}");
    }
    let text = std::fs::read_to_string(folder.join("results.json")).unwrap();
    let mut results: Value = serde_json::from_str(&text).unwrap();
    for part in ["rows", "trials"] {
        for row in results[part].as_array_mut().unwrap() {
            let seconds = row.as_object_mut().unwrap().remove("seconds").unwrap();
            assert!(seconds.as_f64().unwrap() > 0.0);
        }
    }
    results
}

#[test]
fn all_rows_have_all_figures() {
    let results = results(2, &["--trials", "2"]);
    for part in ["reference", "flow", "surrogate"] {
        assert!(results[part]["pf"].as_f64().unwrap() > 1e-3, "{part}");
        assert!(results[part]["se"].as_f64().unwrap() > 0.0, "{part}");
    }
    let rows = results["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 14);
    let figures = [
        "pf_mean",
        "pf_sd",
        "rel_err_mean",
        "rel_err_abs_mean",
        "rel_err_flow_abs_mean",
        "rel_err_flow_abs_max",
        "nll_mean",
        "coverage_mean",
        "density_mean",
        "evaluations_mean",
        "interval_coverage",
        "flagged",
    ];
    for row in rows {
        for figure in figures {
            assert!(row[figure].is_number(), "{figure} of {row}");
        }
        assert_eq!(row["trials"], 2);
    }
    let names = |key: &str| rows.iter().map(|row| row[key].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(names("space").iter().filter(|s| **s == "latent").count(), 10);
    assert_eq!(names("event").iter().filter(|s| **s == "surrogate").count(), 5);
    assert_eq!(names("preset").iter().filter(|s| **s == "default").count(), 8);
}

#[test]
fn equal_seeds_give_equal_bits_on_any_number_of_threads() {
    let some = ["--trials", "2", "--space", "latent", "--method", "ce"];
    let one = results(1, &some);
    assert_eq!(one, results(2, &some));
    let other = results(2, &[&some[..], &["--seed", "2"]].concat());
    assert_ne!(one["rows"], other["rows"]);
}

/// A flow of two features, where the robot has three.
fn another_flow() -> FlowFile {
    let moments = Standardise::new(vec![0.0; 2], vec![1.0; 2]).unwrap();
    let config = FlowConfig::builder(2).hidden(4).steps(1).build().unwrap();
    let flow = Flow::init(&config, moments, 1, Precision::F32, &default_device()).unwrap();
    FlowFile::new(flow, TrainingRecord::default())
}

/// Runs with bad input. There must be a non-zero exit code, a message with `expected`, and no results.
fn refused(arguments: &[&str], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let shipped = include_bytes!("../assets/robot.safetensors");
    std::fs::write(folder.path().join("cut.safetensors"), &shipped[..shipped.len() / 2]).unwrap();
    std::fs::write(folder.path().join("foreign.safetensors"), "no flow at all").unwrap();
    another_flow().save(folder.path().join("plane.safetensors")).unwrap();
    std::fs::write(folder.path().join("bad.toml"), "system = \"robot\"\ntrails = 3\n").unwrap();
    let output = run(folder.path(), 2, &[&["reproduce"], arguments].concat());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{arguments:?} was accepted");
    assert!(message.contains(expected), "{arguments:?}: {message}");
    assert!(!folder.path().join("results").exists(), "{arguments:?} left results");
}

#[test]
fn bad_input_is_refused_and_leaves_nothing() {
    refused(
        &["--system", "rocket"],
        "no system is called `rocket`; the systems are robot, racecar, f16",
    );
    refused(&["--flow", "absent.safetensors"], "--system <SYSTEM>");
    refused(&["--speed", "9"], "unexpected argument '--speed'");
    refused(&["--trials", "0"], "--trials must be positive");
    refused(&["--trials", "many"], "invalid value 'many'");
    refused(&["--device", "abacus"], "device `abacus` is not available; this build has flex");
    refused(
        &["--system", "robot", "--flow", "absent.safetensors"],
        "cannot read absent.safetensors",
    );
    refused(&["--system", "robot", "--flow", "cut.safetensors"], "cut.safetensors cannot be used");
    refused(
        &["--system", "robot", "--flow", "foreign.safetensors"],
        "foreign.safetensors cannot be used",
    );
    refused(
        &["--system", "robot", "--flow", "plane.safetensors"],
        "the flow has 2 features, the system `robot` has 3",
    );
    refused(&["--system", "robot", "--experiment", "absent.toml"], "cannot read absent.toml");
    refused(&["--system", "robot", "--experiment", "bad.toml"], "line 2");
}
