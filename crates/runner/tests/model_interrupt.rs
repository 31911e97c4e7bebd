//! What an estimate with a model keeps when it is ended from outside, and that it goes on from there.
#![cfg(target_os = "linux")]

#[path = "common/brake.rs"]
mod brake;

use std::{
    collections::HashSet,
    path::Path,
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use brake::{BRAKE, PROGRAM, brake, record, write};
use store::Reader;

const ESTIMATE: [&str; 7] =
    ["estimate", "--model", "brake.toml", "--criterion", "c75.toml", "--json", "r.json"];

/// Runs the estimate to its end, which must be a good one.
fn finish(folder: &Path) {
    let program = env!("CARGO_BIN_EXE_latent-is");
    let output = Command::new(program).args(ESTIMATE).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
}

/// The braking model in batches of 20, each of which takes its time while the file `slow` is there.
fn model(folder: &Path) {
    brake(folder);
    write(folder, "brake.toml", &BRAKE.replace("batch = 300", "batch = 20"));
    write(folder, "brake.sh", &format!("if [ -f slow ]; then sleep 0.2; fi\n{PROGRAM}"));
}

/// How many evaluations the store has, each of which must be of other inputs.
fn stored(folder: &Path) -> usize {
    let Ok(reader) = Reader::open(folder.join("brake.store")) else { return 0 };
    let samples: Vec<Vec<u64>> = reader
        .map_while(Result::ok)
        .map(|evaluation| evaluation.inputs.iter().map(|x| x.to_bits()).collect())
        .collect();
    let distinct: HashSet<&Vec<u64>> = samples.iter().collect();
    assert_eq!(distinct.len(), samples.len(), "a sample was evaluated twice");
    samples.len()
}

/// Starts the estimate, sends it `signal` after 60 evaluations, and returns how it ended.
fn ended_by(folder: &Path, signal: &str) -> Output {
    // Where the tests run in the background of a script, SIGINT is ignored: `env` undoes that.
    let child = Command::new("env")
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_latent-is")])
        .args(ESTIMATE)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while stored(folder) < 60 {
        assert!(begin.elapsed() < Duration::from_mins(2));
        sleep(Duration::from_millis(20));
    }
    let process = child.id().to_string();
    assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    child.wait_with_output().unwrap()
}

#[test]
fn an_estimate_goes_on_after_an_interruption_and_after_a_kill() {
    let undisturbed = tempfile::tempdir().unwrap();
    model(undisturbed.path());
    finish(undisturbed.path());
    let expected = record(undisturbed.path()).estimate;
    for signal in ["-INT", "-KILL"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        model(folder);
        write(folder, "slow", "");
        let output = ended_by(folder, signal);
        let text = String::from_utf8_lossy(&output.stderr);
        if signal == "-INT" {
            assert_eq!(output.status.code(), Some(130));
            let last = text.lines().last().unwrap();
            assert!(
                last.starts_with("interrupted: ")
                    && last.contains("brake.store")
                    && last.contains("run the same command again to go on"),
                "{last}"
            );
        }
        let kept = stored(folder);
        assert!((60..2000).contains(&kept), "{kept}");
        std::fs::remove_file(folder.join("slow")).unwrap();
        finish(folder);
        let after = record(folder);
        assert_eq!(after.estimate, expected, "{signal}");
        assert!(after.looked_up >= kept as u64, "{signal}: {} of {kept}", after.looked_up);
        assert_eq!(stored(folder), stored(undisturbed.path()));
    }
}

/// A limit on the size of files stands for a full disk.
#[test]
fn a_full_disk_is_an_error_that_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    model(folder);
    let command = format!(
        "trap '' XFSZ; ulimit -f 40; exec {} {}",
        env!("CARGO_BIN_EXE_latent-is"),
        ESTIMATE.join(" ")
    );
    let output = Command::new("bash").args(["-c", &command]).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error: ") && text.contains("brake.store"), "{text}");
    let kept = stored(folder);
    assert!(kept > 100, "{kept}");
    finish(folder);
    let (looked_up, counts) = (record(folder).looked_up, record(folder).estimate.counts);
    assert!(looked_up >= kept as u64, "{looked_up} of {kept}");
    assert!(looked_up < counts.evaluations && stored(folder) > kept);
}
