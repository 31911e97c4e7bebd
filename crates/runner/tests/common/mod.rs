//! The program as a process, and data to give it.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Output},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Runs `latent-is` in `folder`.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_latent-is"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Standard output of the program.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The error message of a command that must fail. Errors in TOML show the line on further lines.
pub(crate) fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    text[text.find("error: ").expect("an error is printed")..].to_owned()
}

/// Writes `data.csv`, two correlated features: `a` standard normal, `b` half of it plus noise, `a`
/// moved and scaled.
pub(crate) fn data(folder: &Path, n: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut text = String::from("a,b\n");
    for _ in 0..n {
        let (u, v): (f64, f64) = (rng.sample(StandardNormal), rng.sample(StandardNormal));
        writeln!(text, "{},{}", 10.0 + 2.0 * u, 0.5 * u + 0.5 * v).unwrap();
    }
    std::fs::write(folder.join("data.csv"), text).unwrap();
}
