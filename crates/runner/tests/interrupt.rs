//! Ctrl-C: what a command leaves and what it says.
#![cfg(target_os = "linux")]

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// Starts the program in `folder`. Where the tests run in the background of a script, SIGINT is ignored:
/// `env` undoes that.
fn start(folder: &Path, arguments: &[&str]) -> Child {
    Command::new("env")
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_latent-is")])
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for the file `name`, interrupts the program and returns its code and its last line.
fn interrupt(folder: &Path, arguments: &[&str], name: &str) -> (Option<i32>, String) {
    let mut child = start(folder, arguments);
    let begin = Instant::now();
    while !folder.join(name).exists() {
        assert!(child.try_wait().unwrap().is_none() && begin.elapsed() < Duration::from_mins(5));
        sleep(Duration::from_millis(10));
    }
    // The file is there a moment before the work begins.
    sleep(Duration::from_millis(300));
    let process = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text.lines().last().unwrap_or_default().to_owned())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_interrupted_command_leaves_what_it_promised_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("c.toml"), "[[box]]\nfeatures = { x = [150.0, inf] }\n").unwrap();
    let simulated = start(folder, &["simulate", "robot", "-n", "3000", "-o", "data.csv"]).wait();
    assert!(simulated.unwrap().success());
    for (arguments, wait_for, sentence, left) in [
        (
            &["simulate", "racecar", "-n", "100000000", "-o", "car.csv"][..],
            "car.csv.part",
            "finished outcomes are in car.csv.part; run the same command again to go on",
            &["c.toml", "car.csv.part", "data.csv"][..],
        ),
        (
            &[
                "estimate",
                "--system",
                "robot",
                "--criterion",
                "c.toml",
                "--target-cov",
                "0.00001",
                "--budget",
                "1000000000",
                "--json",
                "r.json",
            ],
            ".r.json.lock",
            "nothing was written; run the command again",
            &["c.toml", "car.csv.part", "data.csv"],
        ),
        (
            &["train", "--data", "data.csv", "--epochs", "100000", "--patience", "100000"],
            ".flow.safetensors.lock",
            "nothing was written yet; run the command again",
            &["c.toml", "car.csv.part", "data.csv"],
        ),
        (
            &["reproduce", "--system", "robot", "--trials", "100000", "--out", "new"],
            "new/robot/trials.jsonl",
            "what is finished is in new/robot; run the same command again to go on",
            &["c.toml", "car.csv.part", "data.csv", "new"],
        ),
    ] {
        let (code, line) = interrupt(folder, arguments, wait_for);
        assert_eq!((code, line), (Some(130), format!("interrupted: {sentence}")));
        assert_eq!(names(folder), left, "{arguments:?}");
    }
    assert_eq!(names(&folder.join("new/robot")), ["trials.jsonl"]);
}
