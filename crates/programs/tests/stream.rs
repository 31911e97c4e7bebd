//! Programs in `stream` mode that behave, and programs that do not.
#![cfg(unix)]

mod common;

use std::{
    fs,
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use common::{batch, inputs, model, outputs, run};
use programs::{ModelConfig, ProgramError, ProgramModel};
use sim_core::{FailureKind, ModelError};
use store::{EvaluateEach, Identity, Memo, Store};

/// Reads requests into `$id`, `$seed` and `$x`; the text is what happens with each.
fn each(action: &str) -> String {
    format!(
        r#"answer() {{ printf '{{"id": %s, "outputs": {{"y": %s}}}}\n' "$1" "$2"; }}
while read -r line; do
    id=${{line#*: }}; id=${{id%%,*}}
    seed=${{line#*seed\": }}; seed=${{seed%%,*}}
    x=${{line##*: }}; x=${{x%%.*}}
    {action}
done
"#
    )
}

fn only(model: &ProgramModel) -> (FailureKind, String) {
    let mut all = run(model, 1).unwrap();
    all.remove(0).unwrap_err()
}

fn program_error(result: ModelError) -> ProgramError {
    let ModelError::Failed { source, .. } = result else { panic!("{result}") };
    *source.unwrap().downcast::<ProgramError>().unwrap()
}

#[test]
fn outcomes_are_in_order_for_any_number_of_workers() {
    let folder = tempfile::tempdir().unwrap();
    // Odd samples take longer.
    let script = each("[ $((x % 2)) = 0 ] || sleep 0.02; answer $id $((1000 * x + seed))");
    for workers in [1, 3, 8] {
        let model = model(folder.path(), &script, "", &format!("workers = {workers}"));
        assert_eq!(model.workers().alive, 0);
        for _ in 0..2 {
            let expected: Vec<_> = (0..20).map(|i| Ok(f64::from(1001 * i))).collect();
            assert_eq!(run(&model, 20).unwrap(), expected);
        }
        let now = model.workers();
        assert_eq!((now.total, now.busy, now.lost), (workers, 0, 0));
        assert!((1..=workers).contains(&now.alive));
        assert_eq!(run(&model, 0).unwrap(), []);
    }
}

#[test]
fn a_reported_failure_and_a_nan_are_statuses() {
    let folder = tempfile::tempdir().unwrap();
    let action = r#"case $x in
        1) echo "{\"id\": $id, \"error\": \"diverged\"}";;
        2) answer $id NaN;;
        3) answer $id null;;
        *) answer $id 1.5;;
    esac"#;
    let model = model(folder.path(), &each(action), "", "workers = 2\nretries = 5");
    let results = run(&model, 5).unwrap();
    assert_eq!((&results[0], &results[4]), (&Ok(1.5), &Ok(1.5)));
    assert_eq!(results[1], Err((FailureKind::Reported, "diverged".to_owned())));
    for result in &results[2..4] {
        assert_eq!(result.as_ref().unwrap_err().0, FailureKind::NotFinite);
    }
    assert_eq!(model.workers().lost, 0);
}

#[test]
fn a_crash_is_tried_again_and_then_a_status_with_the_last_words() {
    let folder = tempfile::tempdir().unwrap();
    // Sample 1 crashes the first time, sample 3 always, by signal.
    let action = r#"echo "at $x" >&2
    [ $x = 1 ] && [ ! -e once ] && : > once && exit 3
    [ $x = 3 ] && kill -SEGV $$
    answer $id $x"#;
    let model = model(folder.path(), &each(action), "", "workers = 2\nretries = 1");
    let results = run(&model, 6).unwrap();
    for i in [0, 1, 2, 4, 5] {
        assert_eq!(results[i], Ok(i as f64));
    }
    let (kind, message) = results[3].clone().unwrap_err();
    assert_eq!(kind, FailureKind::Crashed);
    assert!(message.contains("signal 11 (segmentation fault)"), "{message}");
    assert!(message.ends_with("at 3"), "{message}");
    assert_eq!(model.workers().lost, 3);
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    // The grandchild holds the standard streams and would write a file.
    let action = r"[ $x = 1 ] && { (sleep 3; : > survived) & echo hangs >&2; sleep 60; }
    answer $id $x";
    let config = "workers = 1\nretries = 0\ntimeout = '1s'";
    let model = model(folder.path(), &each(action), "", config);
    let begin = Instant::now();
    let results = run(&model, 3).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    assert_eq!((&results[0], &results[2]), (&Ok(0.0), &Ok(2.0)));
    let (kind, message) = results[1].clone().unwrap_err();
    assert_eq!(kind, FailureKind::TimedOut);
    assert!(message.contains("within 1s") && message.ends_with("hangs"), "{message}");
    thread::sleep(Duration::from_secs(4));
    assert!(!folder.path().join("survived").exists());
}

#[test]
fn broken_answers_are_statuses() {
    let folder = tempfile::tempdir().unwrap();
    let tmp = folder.path();
    for (action, part) in [
        ("echo loading; answer $id 1", "standard error"),
        (r#"echo "{\"id\": $id, \"outputs\": {\"z\": 1}}""#, "without `y` and with `z`"),
        (r#"echo "{\"id\": $id, \"outputs\": {\"y\": 1, \"z\": 1}}""#, "with `z`"),
        (r#"echo "{\"id\": $id, \"outputs\": {}}""#, "without `y`"),
        (r#"echo "{\"id\": $id, \"outputs\": {\"y\": \"1\"}}""#, "not a number"),
        ("answer $((id + 5)) 1", "request 5, which was never made"),
        // Endless, without a line end.
        ("yes 0123456789 | tr -d '\\n'", "more than"),
    ] {
        // Not tried again.
        let model = model(tmp, &each(action), "", "retries = 9\nworkers = 1\ntimeout = '60s'");
        let (kind, message) = only(&model);
        assert_eq!(kind, FailureKind::BadAnswer, "{message}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_second_answer_is_noticed_at_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let action = "answer $id $x; [ $x = 0 ] && answer $id $x";
    let model = model(folder.path(), &each(action), "", "workers = 1");
    let results = run(&model, 3).unwrap();
    assert_eq!((&results[0], &results[2]), (&Ok(0.0), &Ok(2.0)));
    let (kind, message) = results[1].clone().unwrap_err();
    assert_eq!(kind, FailureKind::BadAnswer);
    assert!(message.contains("request 0 twice"), "{message}");
}

#[test]
fn a_program_that_never_reads_times_out_also_with_long_requests() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("run.sh"), "sleep 60").unwrap();
    let config = "command = ['sh', 'run.sh']\ntimeout = '300ms'\nretries = 0\nworkers = 1";
    let config: ModelConfig = toml::from_str(config).unwrap();
    // A request of more than the 64 KiB that fit into a pipe.
    let normal = inputs::Normal::new(0.0, 1.0).unwrap();
    let many =
        (0..9000).fold(inputs::Inputs::builder(), |b, i| b.input(format!("input{i}"), "1", normal));
    let many = many.build().unwrap();
    let model = ProgramModel::new("deaf", &config, Some(folder.path()), many, outputs()).unwrap();
    let w = nalgebra::DMatrix::zeros(9000, 2);
    let begin = Instant::now();
    let mut kinds = Vec::new();
    let mut report = |finished: store::Finished<'_>| {
        kinds.push(finished.status.clone());
        ControlFlow::Continue(())
    };
    model.evaluate_each(w.as_view(), &[1, 2], &mut report).unwrap();
    let timed_out = |status: &sim_core::Status| {
        matches!(status, sim_core::Status::Failed { kind: FailureKind::TimedOut, .. })
    };
    assert!(kinds.len() == 2 && kinds.iter().all(timed_out));
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_program_that_closes_its_output_has_crashed() {
    let folder = tempfile::tempdir().unwrap();
    let script = "exec >&-; sleep 60";
    let model = model(folder.path(), script, "", "workers = 1\nretries = 0");
    let begin = Instant::now();
    let (kind, message) = only(&model);
    assert_eq!(kind, FailureKind::Crashed);
    assert!(message.contains("closed its standard output"), "{message}");
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_program_that_dies_five_times_stops_the_run_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 'no licence' >&2; exit 2";
    let stopped = |config: &str| {
        let model = model(folder.path(), script, "", config);
        let error = program_error(run(&model, 50).unwrap_err());
        let ProgramError::Crashes { times, ref last, .. } = error else { panic!("{error}") };
        assert!(last.contains("exit code 2") && last.ends_with("no licence"), "{last}");
        times
    };
    assert_eq!(stopped("workers = 2"), 5);
    assert_eq!(stopped("workers = 1\nretries = 0\ncrash_limit = 2"), 2);
    // Four crashes in a row, then an answer, do not.
    let action = r"[ $((x % 3)) = 2 ] || exit 1; answer $id $x";
    let model = model(folder.path(), &each(action), "", "workers = 1\nretries = 1");
    let results = run(&model, 9).unwrap();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    assert_eq!(model.workers().lost, 12);
}

#[test]
fn a_program_that_stops_the_run_leaves_no_crash_in_the_store() {
    for workers in [1, 3] {
        crashes_leave_nothing(workers);
    }
}

fn crashes_leave_nothing(workers: usize) {
    let folder = tempfile::tempdir().unwrap();
    let action = r"[ $x -lt 3 ] || exit 1; answer $id $x";
    let model = model(folder.path(), &each(action), "", &format!("workers = {workers}"));
    let identity = Identity::of(&model, "");
    let store = Store::open(folder.path().join("run.store"), &identity).unwrap();
    let memo = Memo::each(model, store);
    let error = program_error(run(&memo, 20).unwrap_err());
    assert!(matches!(error, ProgramError::Crashes { .. }));
    assert_eq!((memo.store().len(), memo.evaluated()), (3, 3));
    // Once the program is mended, only what is missing is evaluated.
    fs::write(folder.path().join("run.sh"), each("answer $id $x")).unwrap();
    let all = run(&memo, 20).unwrap();
    assert!(all.iter().enumerate().all(|(i, y)| *y == Ok(i as f64)));
    assert_eq!((memo.evaluated(), memo.looked_up()), (20, 3));
}

#[test]
fn abort_ends_the_run_at_the_first_sample_without_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let action = r"[ $x = 2 ] && answer $id null || answer $id $x";
    let model = model(folder.path(), &each(action), "", "workers = 1\non_failure = 'abort'");
    let error = program_error(run(&model, 9).unwrap_err());
    let ProgramError::Aborted { index: 2, ref message } = error else { panic!("{error}") };
    assert!(message.contains("`y` is not a finite number"));
}

#[test]
fn who_takes_the_results_can_stop_the_batch() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), &each("sleep 0.01; answer $id $x"), "", "workers = 2");
    let (w, seeds) = batch(100);
    let (mut seen, stop) = (0, AtomicBool::new(false));
    let mut report = |_: store::Finished<'_>| {
        seen += 1;
        stop.fetch_or(seen == 4, Ordering::Relaxed);
        if stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    model.evaluate_each(w.as_view(), &seeds, &mut report).unwrap();
    // The fourth, and at most one more that was in flight.
    assert!((4..=5).contains(&seen), "{seen}");
}

#[test]
fn a_program_that_cannot_be_started_is_an_error_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data.txt"), "not a program").unwrap();
    // Written by another process: a file that this one has open cannot be started, and other tests fork.
    let write = "echo text > plain; chmod +x plain";
    let shell = std::process::Command::new("sh").args(["-c", write]).current_dir(&folder).status();
    assert!(shell.unwrap().success());
    for (command, part) in [
        ("there-is-no-such-program", "is the name right"),
        ("./nothing", "is the name right"),
        ("./data.txt", "chmod"),
        ("./plain", "#!/bin/sh"),
    ] {
        let config: ModelConfig = toml::from_str(&format!("command = ['{command}']")).unwrap();
        let folder = Some(folder.path());
        let model = ProgramModel::new("x", &config, folder, inputs(), outputs()).unwrap();
        let error = run(&model, 3).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert!(matches!(program_error(error), ProgramError::Start { .. }));
    }
    let config: ModelConfig = toml::from_str("command = []").unwrap();
    assert!(ProgramModel::new("x", &config, None, inputs(), outputs()).is_err());
}

#[test]
fn programs_end_with_their_model() {
    let folder = tempfile::tempdir().unwrap();
    // Ends by itself when its standard input is closed, and says so.
    let script = each("answer $id $x") + "echo done > ended";
    let model = model(folder.path(), &script, "", "workers = 1");
    run(&model, 1).unwrap();
    assert!(!folder.path().join("ended").exists());
    drop(model);
    assert!(folder.path().join("ended").exists());
}
