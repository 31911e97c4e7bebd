//! The files that the program writes, its exit codes and its messages.

mod common;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use common::{data, refused, run, stdout};

const ESTIMATE: [&str; 9] = [
    "estimate",
    "--system",
    "robot",
    "--criterion",
    "far.toml",
    "--json",
    "out.json",
    "--samples",
    "failures.csv",
];

fn criterion(folder: &Path) {
    std::fs::write(folder.join("far.toml"), "[[box]]\nfeatures = { x = [150.0, inf] }\n").unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs the program with a standard output that is closed before the first line.
fn closed(folder: &Path, arguments: &[&str]) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_latent-is"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.wait().unwrap().code()
}

#[test]
fn a_closed_standard_output_ends_the_printing_only() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    criterion(folder);
    assert_eq!(closed(folder, &ESTIMATE), Some(0));
    for (arguments, file) in [
        (&["simulate", "robot", "-n", "2000", "-o", "robot.csv"][..], "robot.csv"),
        (&["report", "out.json"], "out.html"),
        (
            &["metrics", "--real", "robot.csv", "--samples", "failures.csv", "--json", "m.json"],
            "m.json",
        ),
    ] {
        assert_eq!(closed(folder, arguments), Some(0), "{arguments:?}");
        assert!(folder.join(file).exists(), "{file}");
    }
    assert!(folder.join("failures.csv").exists());
    data(folder, 600);
    let train = ["train", "--data", "data.csv", "--epochs", "2", "--hidden", "8"];
    assert!(matches!(closed(folder, &train), Some(0 | 2)));
    assert!(folder.join("flow.safetensors").exists());
    // The code is that of the work.
    assert_eq!(closed(folder, &["train", "--data", "absent.csv"]), Some(1));
    std::fs::write(folder.join("far.toml"), "[[box]]\nfeatures = { x = [1e9, inf] }\n").unwrap();
    let open = run(folder, &ESTIMATE).status.code();
    assert!(open != Some(0) && closed(folder, &ESTIMATE) == open, "{open:?}");
    assert_eq!(closed(folder, &["--help"]), Some(0));
    assert_eq!(closed(folder, &["completions", "bash"]), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_an_error_after_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    criterion(folder);
    let help = ["--help"];
    let completions = ["completions", "zsh"];
    for arguments in [&ESTIMATE[..], &help, &completions] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_latent-is"));
        let output = command.args(arguments).current_dir(folder).stdout(full).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        let line = text.lines().last().unwrap();
        assert!(line.starts_with("error: cannot write to standard output: No space"), "{text}");
        assert!(!text.contains("panicked"), "{text}");
    }
    assert!(folder.join("out.json").exists() && folder.join("failures.csv").exists());
}

#[test]
fn an_output_that_is_an_input_or_another_output_is_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    criterion(folder);
    data(folder, 600);
    assert!(run(folder, &ESTIMATE).status.success());
    std::fs::create_dir(folder.join("sub")).unwrap();
    std::fs::hard_link(folder.join("data.csv"), folder.join("hard.csv")).unwrap();
    let before: Vec<_> = names(folder).iter().map(|n| std::fs::read(folder.join(n)).ok()).collect();
    let same = ["metrics", "--real", "data.csv", "--samples", "data.csv", "--json", "hard.csv"];
    let real = ["metrics", "--real", "absent.csv", "--samples", "data.csv", "--json", "data.csv"];
    for (arguments, expected) in [
        (
            &["train", "--data", "data.csv", "-o", "sub/../data.csv"][..],
            "overwrite the input data.csv",
        ),
        (&["train", "--data", "data.csv", "-o", "hard.csv"], "overwrite the input data.csv"),
        (&same, "hard.csv would overwrite the input data.csv"),
        (&real, "data.csv would overwrite the input data.csv"),
        (&["report", "out.json", "-o", "out.json"], "overwrite the input out.json"),
        (&[&ESTIMATE[..6], &["new.csv", "--samples", "./new.csv"]].concat(), "are one file"),
        (&[&ESTIMATE[..6], &["far.toml"]].concat(), "overwrite the input far.toml"),
        (
            &["reproduce", "--system", "robot", "--experiment", "results/robot/table.csv"],
            "overwrite the input results/robot/table.csv",
        ),
    ] {
        let error = refused(folder, arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    let after: Vec<_> = names(folder).iter().map(|n| std::fs::read(folder.join(n)).ok()).collect();
    assert!(before == after, "{:?}", names(folder));
}

#[test]
fn a_run_makes_its_folder_and_leaves_only_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let simulate = |out: &str| run(folder, &["simulate", "robot", "-n", "100", "-o", out]);
    // What a killed run left: a temporary file and a lock.
    std::fs::create_dir(folder.join("new")).unwrap();
    std::fs::write(folder.join("new/.a.csv.4000000-1.unfinished"), "x").unwrap();
    std::fs::write(folder.join("new/.a.csv.lock"), "4000000\n").unwrap();
    let output = simulate("new/a.csv");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(&folder.join("new")), ["a.csv"]);
    assert!(simulate("other/folder/a.csv").status.success());
    assert_eq!(names(&folder.join("other/folder")), ["a.csv"]);

    std::fs::write(folder.join("plain"), "").unwrap();
    let train = ["train", "--data", "absent.csv", "-o", "plain/flow.safetensors"];
    let error = refused(folder, &train);
    assert!(error.contains("cannot write plain/flow.safetensors"), "before the data: {error}");
}

#[test]
fn a_second_run_and_a_foreign_part_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let simulate = ["simulate", "robot", "-n", "100", "-o", "a.csv"];
    let claim = safe_file::Claim::new(&folder.join("a.csv")).unwrap();
    let error = refused(folder, &simulate);
    let expected = format!("a.csv: process {} works on it", std::process::id());
    assert!(error.contains(&expected), "{error}");
    drop(claim);
    std::fs::write(folder.join("a.csv.part"), "my notes").unwrap();
    assert!(refused(folder, &simulate).contains("a.csv.part: it is not part of an earlier run"));
    assert_eq!(std::fs::read_to_string(folder.join("a.csv.part")).unwrap(), "my notes");
    std::fs::create_dir_all(folder.join("results/robot")).unwrap();
    std::fs::write(folder.join("results/robot/trials.jsonl"), "my notes").unwrap();
    let error = refused(folder, &["reproduce", "--system", "robot", "--quick"]);
    assert!(error.contains("trials.jsonl: it is not a log of trials"), "{error}");
    assert_eq!(names(&folder.join("results/robot")), ["trials.jsonl"]);
}

#[cfg(unix)]
#[test]
fn links_modes_and_pipes_stay_what_they_are() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let simulate = |out: &str| run(folder, &["simulate", "robot", "-n", "100", "-o", out]);
    assert!(simulate("real.csv").status.success());
    let expected = std::fs::read_to_string(folder.join("real.csv")).unwrap();
    std::fs::write(folder.join("real.csv"), "old").unwrap();
    std::fs::set_permissions(folder.join("real.csv"), PermissionsExt::from_mode(0o600)).unwrap();
    symlink("real.csv", folder.join("link.csv")).unwrap();
    assert!(simulate("link.csv").status.success());
    assert!(std::fs::symlink_metadata(folder.join("link.csv")).unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(folder.join("real.csv")).unwrap(), expected);
    let mode = std::fs::metadata(folder.join("real.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let made = Command::new("mkfifo").arg(folder.join("pipe.csv")).status();
    if made.is_ok_and(|status| status.success()) {
        let path = folder.join("pipe.csv");
        let reader = std::thread::spawn(move || std::fs::read_to_string(path).unwrap());
        assert!(simulate("pipe.csv").status.success());
        assert_eq!(reader.join().unwrap(), expected);
        assert!(!std::fs::metadata(folder.join("pipe.csv")).unwrap().is_file());
    }
}

#[test]
fn a_flow_that_fails_its_checks_says_so_for_ever_after() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data(folder, 600);
    // A learning rate at which the flow ends far from the data.
    let settings = ["--epochs", "2", "--hidden", "8", "--learning-rate", "0.3"];
    let output = run(folder, &[&["train", "--data", "data.csv"][..], &settings].concat());
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("FAIL"), "{shown}");
    let output = run(folder, &["inspect", "flow.safetensors"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("checks: failed: "), "{}", stdout(&output));
    std::fs::write(folder.join("c.toml"), "[[box]]\nfeatures = { a = [10.0, inf] }\n").unwrap();
    let estimate =
        ["estimate", "--flow", "flow.safetensors", "--criterion", "c.toml", "--json", "e.json"];
    let output = run(folder, &estimate);
    let shown = stdout(&output);
    assert!(matches!(output.status.code(), Some(2 | 4)), "{shown}");
    assert!(shown.contains("the flow failed its checks after its training"), "{shown}");
    assert!(shown.contains("The checks of the flow after its training failed: "), "{shown}");
    let json = std::fs::read_to_string(folder.join("e.json")).unwrap();
    assert!(json.contains("FlowChecksFailed") && json.contains("\"checks\": \"failed: "));
}

#[test]
fn messages_are_one_short_line_without_control_characters() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let estimate = ["estimate", "--system", "robot", "--criterion", "c.toml"];
    std::fs::write(folder.join("c.toml"), "[[box\n").unwrap();
    let error = refused(folder, &estimate);
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert!(error.contains("c.toml") && error.contains("line 1"), "{error}");
    let verbose = refused(folder, &[&estimate[..], &["--verbose"]].concat());
    assert!(verbose.contains("1 | [[box"), "{verbose}");

    let error = refused(folder, &["simulate", "ro\x1b[31mbot\nx", "-n", "5", "-o", "a.csv"]);
    assert!(error.contains("\\u{1b}[31m") && error.trim_end().lines().count() == 1, "{error}");
    let long = "x".repeat(100_000);
    let error = refused(folder, &["simulate", &long, "-n", "5", "-o", "a.csv"]);
    assert!(error.len() < 700 && error.contains("more characters"), "{}", error.len());
    let error = refused(folder, &["simulate", "robot", "-n", "\x1b[31m5", "-o", "a.csv"]);
    assert!(!error.contains('\x1b'), "{error}");
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in
        [&["--help"][..], &["train", "--help"], &["inspect", "--help"], &["estimate", "--help"]]
    {
        let output = run(folder.path(), arguments);
        assert!(output.status.success() && stdout(&output).contains("Exit codes:"));
    }
    // Invalid arguments are an error like any other; 2 has another meaning.
    assert_eq!(run(folder.path(), &["train", "--speed"]).status.code(), Some(1));
}
