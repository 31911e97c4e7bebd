//! Programs in `file` mode.
#![cfg(unix)]

mod common;

use std::time::{Duration, Instant};

use common::{model, run};
use programs::ProgramError;
use sim_core::{FailureKind, ModelError};

const FILES: &str = ", '{in}', '{out}'";

/// Reads the samples in `$1` into `$seed` and `$x`; `action` writes to `$2`.
fn each(action: &str) -> String {
    format!(
        r#"[ "$(head -n 1 "$1")" = seed,x ] || exit 9
echo y > "$2"
tail -n +2 "$1" | while IFS=, read -r seed x; do
    x=${{x%%.*}}
    {action}
done
"#
    )
}

#[test]
fn outcomes_are_in_order_for_any_batch() {
    let folder = tempfile::tempdir().unwrap();
    for batch in [1, 3, 100] {
        let script = each(r#"echo $((1000 * x + seed)) >> "$2""#) + "echo start >> starts";
        let config = format!("mode = 'file'\nworkers = 2\nbatch = {batch}");
        let model = model(folder.path(), &script, FILES, &config);
        let expected: Vec<_> = (0..10).map(|i| Ok(f64::from(1001 * i))).collect();
        assert_eq!(run(&model, 10).unwrap(), expected);
        let starts = std::fs::read_to_string(folder.path().join("starts")).unwrap();
        assert_eq!(starts.lines().count(), 10_usize.div_ceil(batch));
        std::fs::remove_file(folder.path().join("starts")).unwrap();
    }
}

#[test]
fn crashes_and_time_outs_in_a_batch_hit_only_their_sample() {
    let folder = tempfile::tempdir().unwrap();
    let action = r#"[ $x = 4 ] && { echo bad luck >&2; exit 7; }
    [ $x = 6 ] && sleep 60
    echo $x >> "$2""#;
    // The loop is a part of a pipe, whose exit code is that of the script.
    let script = each(action) + "code=$?; [ $code = 0 ] || exit $code";
    let config = "mode = 'file'\nworkers = 2\nbatch = 5\nretries = 0\ntimeout = '2s'";
    let model = model(folder.path(), &script, FILES, config);
    let begin = Instant::now();
    let results = run(&model, 10).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(40));
    for (i, result) in results.iter().enumerate() {
        match i {
            4 => {
                let (kind, message) = result.clone().unwrap_err();
                assert_eq!(kind, FailureKind::Crashed);
                assert!(message.contains("exit code 7") && message.ends_with("bad luck"));
            }
            6 => assert_eq!(result.clone().unwrap_err().0, FailureKind::TimedOut),
            _ => assert_eq!(*result, Ok(i as f64)),
        }
    }
}

#[test]
fn the_search_for_a_crash_in_a_large_batch_does_not_stop_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let script = each(r#"[ $x = 0 ] && exit 7; echo $x >> "$2""#) + "exit $?";
    // Six halvings lead to the first sample.
    let config = "mode = 'file'\nworkers = 1\nbatch = 64\nretries = 0";
    let model = model(folder.path(), &script, FILES, config);
    let results = run(&model, 64).unwrap();
    assert_eq!(results[0].clone().unwrap_err().0, FailureKind::Crashed);
    assert!((1..64).all(|i| results[i] == Ok(i as f64)));
    assert_eq!(model.workers().lost, 7);
}

#[test]
fn files_that_do_not_fit_are_statuses() {
    let folder = tempfile::tempdir().unwrap();
    for (script, part) in [
        ("exit 0", "no file `{out}`"),
        ("echo y > $2", "0 rows for 2 samples"),
        ("printf 'y\\n1\\n2\\n3\\n' > $2", "3 rows for 2 samples"),
        ("printf 'z\\n1\\n2\\n' > $2", "no column `y`"),
        ("printf 'y\\n1\\nx\\n' > $2", "`x` is not a number"),
        ("yes 1 | head -c 2000000 > $2", "more than"),
        ("mkdir $2", "cannot be read"),
    ] {
        let config = "mode = 'file'\nworkers = 1\nbatch = 2\nretries = 3";
        let model = model(folder.path(), script, FILES, config);
        for result in run(&model, 2).unwrap() {
            let (kind, message) = result.unwrap_err();
            assert_eq!(kind, FailureKind::BadAnswer);
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn npy_files_go_in_and_come_out() {
    let folder = tempfile::tempdir().unwrap();
    // One input and one output: the array of samples is a fine array of outcomes.
    let config = "mode = 'file'\nworkers = 1\nbatch = 4";
    let files = ", '{in}.npy', '{out}.npy', '{seeds}'";
    let script = r#"[ $(wc -c < "$3") = $((128 + 32)) ] && cp "$1" "$2""#;
    let model = model(folder.path(), script, files, config);
    assert_eq!(run(&model, 4).unwrap(), [Ok(0.0), Ok(1.0), Ok(2.0), Ok(3.0)]);
}

#[test]
fn a_program_that_always_crashes_stops_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "exit 1", FILES, "mode = 'file'\nworkers = 1");
    let ModelError::Failed { source, .. } = run(&model, 50).unwrap_err() else { panic!() };
    let error = source.unwrap().downcast::<ProgramError>().unwrap();
    assert!(matches!(*error, ProgramError::Crashes { times: 5, .. }));
    // With a program that works, the same workers go on.
    std::fs::write(folder.path().join("run.sh"), each(r#"echo $x >> "$2""#)).unwrap();
    assert_eq!(run(&model, 2).unwrap(), [Ok(0.0), Ok(1.0)]);
}
