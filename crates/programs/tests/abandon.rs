//! In a process of its own: after `abandon` no program can be started.
#![cfg(unix)]

mod common;

use std::{
    thread,
    time::{Duration, Instant},
};

use common::{model, run};

#[test]
fn programs_are_ended_with_all_that_they_started() {
    let folder = tempfile::tempdir().unwrap();
    let script = "(sleep 3; : > survived) & : > started; sleep 60";
    let model = model(folder.path(), script, "", "workers = 1");
    // Waits for ever.
    thread::spawn(move || run(&model, 1));
    let begin = Instant::now();
    while !folder.path().join("started").exists() {
        assert!(begin.elapsed() < Duration::from_mins(1));
        thread::sleep(Duration::from_millis(5));
    }
    programs::abandon();
    thread::sleep(Duration::from_secs(4));
    assert!(!folder.path().join("survived").exists());
}
