//! Pages, metrics and completions, and evaluations that resume.

mod common;

use std::path::{Path, PathBuf};

use common::{data, refused, run, stdout};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// An estimate on the robot's flow, with its JSON and its failures.
fn estimate(folder: &Path) {
    std::fs::write(folder.join("far.toml"), "[[box]]\nfeatures = { x = [150.0, inf] }\n").unwrap();
    let arguments = ["estimate", "--system", "robot", "--criterion", "far.toml"];
    let files = ["--json", "out.json", "--samples", "failures.csv"];
    let output = run(folder, &[&arguments[..], &files].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_estimate_becomes_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    estimate(folder);
    let output = run(folder, &["report", "out.json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(folder.join("out.html")).unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("out.json")).unwrap()).unwrap();
    let probability = format!("{:.4e}", json["probability"].as_f64().unwrap());
    for part in [&probability, "Converged", "x = [150.0, inf]", "<img", "shipped flow of robot"] {
        assert!(page.to_lowercase().contains(&part.to_lowercase()), "{part}");
    }
    assert_eq!(page.matches("<img src=\"data:image/svg+xml;base64,").count(), 2);
    assert!(!page.contains("<svg"));

    std::fs::write(folder.join("other.json"), "{\"a\": 1}").unwrap();
    let error = refused(folder, &["report", "other.json"]);
    assert!(error.contains("neither an estimate nor an evaluation"), "{error}");
    assert!(refused(folder, &["report", "absent.json"]).contains("cannot read absent.json"));
    let error = refused(folder, &["report", "out.json", "--out", "far.toml/page.html"]);
    assert!(error.contains("cannot write far.toml/page.html"), "{error}");
}

#[test]
fn failures_are_measured_against_simulated_ones() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    estimate(folder);
    let simulated = run(folder, &["simulate", "robot", "-n", "20000", "-o", "robot.csv"]);
    assert!(simulated.status.success());
    std::fs::write(folder.join("robot.safetensors"), include_bytes!("../assets/robot.safetensors"))
        .unwrap();
    let metrics = ["metrics", "--real", "robot.csv", "--samples", "failures.csv"];
    let with = ["--flow", "robot.safetensors", "--criterion", "named.toml", "--json", "m.json"];
    // The file of the flow does not name its features.
    std::fs::write(folder.join("named.toml"), "[[box]]\nfeatures = { x0 = [150.0, inf] }\n")
        .unwrap();
    let output = run(folder, &[&metrics[..], &with].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("m.json")).unwrap()).unwrap();
    let figure = |name: &str| json[name].as_f64().unwrap();
    assert!(figure("coverage") > 0.7 && figure("coverage") <= 1.0, "{json}");
    assert!(figure("density") > 0.7 && figure("density") < 1.5, "{json}");
    // One outcome in ten lies beyond 150 m.
    assert!((figure("share_failing") * 20_000.0 - figure("real")).abs() < 1e-6);
    assert!(stdout(&output).contains("coverage"));

    // This flow takes columns by position, but those of the two files are matched by name.
    let failures = std::fs::read_to_string(folder.join("failures.csv")).unwrap();
    let moved: Vec<String> = failures
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .map(|row| [row[2], row[3], row[0], row[1]].join(","))
        .collect();
    std::fs::write(folder.join("moved.csv"), moved.join("\n")).unwrap();
    let again = ["metrics", "--real", "robot.csv", "--samples", "moved.csv"];
    assert_eq!(stdout(&run(folder, &[&again[..], &with].concat())), stdout(&output));

    data(folder, 100);
    let error = refused(folder, &["metrics", "--real", "robot.csv", "--samples", "data.csv"]);
    assert!(error.contains("data.csv does not fit robot.csv: it has 2 features, not 3"), "{error}");
}

#[test]
fn completions_name_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let text = stdout(&run(folder.path(), &["completions", shell]));
        for command in ["simulate", "train", "inspect", "estimate", "metrics", "report"] {
            assert!(text.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn an_evaluation_resumes_at_the_first_unfinished_trial() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = include_str!("../experiments/robot.toml")
        .replace("reference_runs = 1_000_000", "reference_runs = 20_000")
        .replace("flow_draws = 8_000_000", "flow_draws = 50_000")
        .replace("metric_draws = 10_000", "metric_draws = 500");
    std::fs::write(folder.join("small.toml"), text).unwrap();
    let all = ["reproduce", "--system", "robot", "--experiment", "small.toml", "--trials", "2"];
    let some = [&all[..], &["--space", "target", "--method", "ce"]].concat();
    let output = run(folder, &some);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results = folder.join("results/robot/results.json");
    let read = || -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(&results).unwrap()).unwrap()
    };
    let first = read();
    // The log as an interrupted run leaves it, made from the trials of the whole one; a mark in the
    // first shows that it is not run again.
    let log = folder.join("results/robot/trials.jsonl");
    let mut interrupted = std::process::Command::new(env!("CARGO_BIN_EXE_latent-is"))
        .args(&some)
        .current_dir(folder)
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let header = loop {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        if let Some(end) = text.find('\n') {
            interrupted.kill().unwrap();
            break text[..=end].to_owned();
        }
        let running = interrupted.try_wait().unwrap().is_none();
        assert!(running, "the run ended before its log was seen");
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    interrupted.wait().unwrap();
    let mut marked = first["trials"][0].clone();
    marked["nll"] = 123.0.into();
    let marked = marked.to_string();
    let marked = marked.strip_suffix('}').unwrap();
    let checksum = safe_file::digest(&[header.as_bytes(), marked.as_bytes()]);
    let marked = format!("{marked},\"checksum\":\"{checksum}\"}}");
    std::fs::write(&log, format!("{header}{marked}\n{{\"space\":\"tar")).unwrap();
    let output = run(folder, &some);
    assert!(stdout(&output).contains("1 trials were finished before"), "{}", stdout(&output));
    let resumed = read();
    assert_eq!(resumed["trials"][0]["nll"], 123.0);
    assert_eq!(resumed["trials"][1]["pf"], first["trials"][1]["pf"]);
    assert!(!log.exists());

    // A whole evaluation becomes a page with its picture.
    let page = folder.join("page.html");
    let output = run(folder, &["report", "results/robot/results.json", "--out", "page.html"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_to_string(page).unwrap().matches("<img").count(), 3);
}

#[test]
fn results_of_other_versions_are_named() {
    let text = std::fs::read_to_string(shipped("estimate.json")).unwrap();
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    old["version"] = "0.0.3".into();
    old.as_object_mut().unwrap().remove("format_version");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("old.json"), old.to_string()).unwrap();
    // Nothing else has changed since.
    assert!(run(folder.path(), &["report", "old.json", "--out", "page.html"]).status.success());
    old["estimate"] = serde_json::json!({ "log_pf": -3.0, "evaluations": 7 });
    std::fs::write(folder.path().join("old.json"), old.to_string()).unwrap();
    let error = refused(folder.path(), &["report", "old.json"]);
    assert!(error.contains("cannot read old.json: latent-is 0.0.3 wrote it before"), "{error}");
    assert!(error.contains("run `estimate --json` again"), "{error}");
    assert!(!folder.path().join("old.html").exists());
}

#[test]
fn scripts_in_a_picture_are_no_part_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::copy(shipped("results.json"), folder.join("results.json")).unwrap();
    std::fs::copy(shipped("hostile.svg"), folder.join("samples.svg")).unwrap();
    let output = run(folder, &["report", "results.json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(folder.join("results.html")).unwrap();
    for part in ["<script", "onload", "foreignObject", "javascript:", "<svg"] {
        assert!(!page.contains(part), "{part}");
    }
    assert_eq!(page.matches("<img src=\"data:image/svg+xml;base64,").count(), 3);
    // A folder in the place of the picture is said, not passed over.
    std::fs::remove_file(folder.join("samples.svg")).unwrap();
    std::fs::create_dir(folder.join("samples.svg")).unwrap();
    assert!(refused(folder, &["report", "results.json"]).contains("cannot read samples.svg"));
}
