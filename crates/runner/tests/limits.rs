//! The smallest and the largest that is asked for: one feature, a few rows, sizes that no machine has.

mod common;

use std::path::Path;

use common::{data, refused, run, stdout};

const ONE_COLUMN: &str = include_str!("data/one_column.csv");

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}{errors}", stdout(&output));
    stdout(&output)
}

/// Files in the folder that training leaves.
fn left(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("flow.safetensors")).collect()
}

#[test]
fn a_single_feature_works_from_training_to_report() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("one.csv"), ONE_COLUMN).unwrap();
    let shown = succeeds(folder, &["train", "--data", "one.csv"]);
    assert!(shown.contains("1500 outcomes of 1 features in one.csv: only"), "{shown}");
    let shown = succeeds(folder, &["inspect", "flow.safetensors"]);
    assert!(shown.contains("1 features") && shown.contains("only  "), "{shown}");

    // Φ(-2) = 0.0228; 1,500 rows determine it to 17 %.
    std::fs::write(
        folder.join("c.toml"),
        "[[half_space]]\nfeatures = { only = 1.0 }\nat_least = 2.0\n",
    )
    .unwrap();
    let estimate = ["estimate", "--flow", "flow.safetensors", "--criterion", "c.toml"];
    for space in ["latent", "target"] {
        for method in ["adaptive", "ce", "ice", "sis"] {
            let files = ["--json", "e.json", "--data", "one.csv", "--samples", "failures.csv"];
            let how = ["--space", space, "--method", method];
            let output = run(folder, &[&estimate[..], &files, &how].concat());
            // With these draws a diagnostic of `sis` may warn.
            assert!(matches!(output.status.code(), Some(0 | 2)), "{}", stdout(&output));
            let text = std::fs::read_to_string(folder.join("e.json")).unwrap();
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            let pf = json["probability"].as_f64().unwrap();
            assert!((pf / 0.02275 - 1.0).abs() < 0.5, "{space} {method}: {pf}");
        }
    }
    let failures = std::fs::read_to_string(folder.join("failures.csv")).unwrap();
    assert!(failures.starts_with("only,weight\n"));
    for samples in ["failures.npy", "failures.parquet", "failures.csv"] {
        succeeds(folder, &[&estimate[..], &["--samples", samples]].concat());
        let metrics = ["metrics", "--real", "one.csv", "--samples", samples];
        succeeds(folder, &[&metrics[..], &["--criterion", "c.toml"]].concat());
    }
    succeeds(folder, &["report", "e.json"]);
    assert!(std::fs::read_to_string(folder.join("e.html")).unwrap().contains("data:image/svg+xml"));
}

#[test]
fn fewer_rows_than_a_batch_are_taken_together() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data(folder, 60);
    let few = ["train", "--data", "data.csv", "--hidden", "8", "--steps", "2", "--epochs", "5"];
    let output = run(folder, &few);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{errors}");
    let note = "--batch-size 256 is more than the 54 training rows; each step takes all of them";
    assert!(errors.contains(note), "{errors}");
    assert!(folder.join("flow.safetensors").exists());
    let output = run(folder, &[&few[..], &["--batch-size", "54"]].concat());
    assert!(!String::from_utf8_lossy(&output.stderr).contains("--batch-size"));
}

#[test]
fn a_training_that_diverges_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data(folder, 600);
    for epochs in ["1", "20"] {
        for rate in ["1e3", "1e10", "1e300"] {
            let train = ["train", "--data", "data.csv", "--epochs", epochs, "--hidden", "8"];
            let error = refused(folder, &[&train[..], &["--learning-rate", rate]].concat());
            assert!(error.contains("the training diverged in epoch"), "{error}");
            assert!(error.contains("no flow was written (--learning-rate was 1"), "{error}");
            assert!(!error.contains("panicked"), "{error}");
            assert!(left(folder).is_empty(), "{:?}", left(folder));
        }
    }
}

#[test]
fn sizes_that_no_machine_has_are_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data(folder, 600);
    let train = ["train", "--data", "data.csv"];
    for (option, value, expected) in [
        ("--hidden", "100000", "240017400180 parameters and its training needs 14306.2 GiB"),
        ("--steps", "1000000000", "GiB of memory"),
        ("--hidden", "18446744073709551615", "GiB of memory"),
        ("--epochs", "18446744073709551615", "epochs must be so small"),
    ] {
        let error = refused(folder, &[&train[..], &[option, value]].concat());
        assert!(error.contains(expected), "{option} {value}: {error}");
    }
    let error = refused(folder, &["simulate", "robot", "-n", "1000000000000000000", "-o", "a.npy"]);
    assert!(error.contains("need 24.000 EB of memory"), "{error}");
    let trials = ["reproduce", "--system", "robot", "--trials", "9223372036854775808"];
    let error = refused(folder, &trials);
    assert!(error.contains("`trials` must be at most 1000000, got 9223372036854775808"), "{error}");
    let experiment = include_str!("../experiments/robot.toml");
    let edited = experiment.replace("hidden = 64", "hidden = 100000");
    assert_ne!(edited, experiment);
    std::fs::write(folder.join("edited.toml"), edited).unwrap();
    let reproduce = ["reproduce", "--system", "robot", "--experiment", "edited.toml"];
    let error = refused(folder, &[&reproduce[..], &["--from-scratch"]].concat());
    assert!(error.contains("edited.toml") && error.contains("GiB of memory"), "{error}");
}

#[test]
fn a_flow_file_with_an_edited_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let shipped = include_bytes!("../assets/robot.safetensors");
    std::fs::write(folder.join("c.toml"), "[[box]]\nfeatures = { x0 = [1e9, inf] }\n").unwrap();
    let (length, rest) = shipped.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let (header, data) = rest.split_at(length);
    let header = std::str::from_utf8(header).unwrap();
    for (from, to, expected) in [
        (r#"\"hidden\":64"#, r#"\"hidden\":100000"#, "GiB of memory"),
        (r#"\"hidden\":64"#, r#"\"hidden\":3000"#, "has shape [64, 1], not [3000, 1]"),
        (r#"\"steps\":5"#, r#"\"steps\":1000000000"#, "GiB of memory"),
        (r#"\"steps\":5"#, r#"\"steps\":900"#, "is missing"),
        (r#"\"features\":3"#, r#"\"features\":3000"#, "the flow has 3000 features"),
        (r#"\"tail_bound\":4.0"#, r#"\"tail_bound\":1e308"#, "tail_bound must be"),
    ] {
        assert!(header.contains(from), "{from} is not in {header:.600}");
        let header = header.replace(from, to);
        let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat();
        std::fs::write(folder.join("edited.safetensors"), file).unwrap();
        let estimate = ["estimate", "--flow", "edited.safetensors", "--criterion", "c.toml"];
        for arguments in [&["inspect", "edited.safetensors"][..], &estimate] {
            let error = refused(folder, arguments);
            assert!(error.contains(expected), "{to}: {error}");
        }
    }
}
