//! The program as a user runs it: `latent-is simulate`.

use std::{path::Path, process::Command};

use latent_is_runner::systems::system::System;
use parquet::{
    file::{reader::FileReader, serialized_reader::SerializedFileReader},
    record::RowAccessor,
};
use sim_core::Simulator;
use sim_toy::Robot;

fn simulate(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latent-is"));
    let output = command.arg("simulate").args(arguments).current_dir(folder).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_three_formats_hold_the_simulator_s_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let expected = Robot::default().simulate(70_000, 9);
    for file in ["a.npy", "a.csv", "a.parquet"] {
        let arguments = ["robot", "-n", "70000", "--seed", "9", "-o", file];
        let (done, message) = simulate(folder.path(), &arguments);
        assert!(done, "{message}");
    }
    let path = |file: &str| folder.path().join(file);
    // No part files are left.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);

    let npy = std::fs::read(path("a.npy")).unwrap();
    let header =
        b"\x93NUMPY\x01\0\x76\0{'descr': '<f8', 'fortran_order': False, 'shape': (70000, 3), }";
    assert!(npy.starts_with(header));
    let numbers = npy[128..].as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b));
    assert_eq!(numbers.collect::<Vec<_>>(), expected.as_slice());

    let mut csv = csv::Reader::from_path(path("a.csv")).unwrap();
    assert_eq!(csv.headers().unwrap(), &["x", "y", "theta"][..]);
    let numbers: Vec<f64> = csv.deserialize::<[f64; 3]>().flat_map(Result::unwrap).collect();
    assert_eq!(numbers, expected.as_slice());

    let parquet =
        SerializedFileReader::new(std::fs::File::open(path("a.parquet")).unwrap()).unwrap();
    let schema = parquet.metadata().file_metadata().schema_descr();
    let names: Vec<&str> =
        (0..3).map(|i| schema.column(i).name().to_owned().leak() as &str).collect();
    assert_eq!(names, ["x", "y", "theta"]);
    let rows = parquet.get_row_iter(None).unwrap().map(Result::unwrap);
    let numbers: Vec<f64> =
        rows.flat_map(|r| [0, 1, 2].map(|i| r.get_double(i).unwrap())).collect();
    assert_eq!(numbers, expected.as_slice());
}

#[test]
fn every_system_and_alias_writes_its_feature_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["robot", "racecar", "f16", "racing", "gcas"] {
        let (done, message) = simulate(folder.path(), &[name, "-n", "5", "-o", "a.csv"]);
        assert!(done, "{message}");
        let text = std::fs::read_to_string(folder.path().join("a.csv")).unwrap();
        let names = System::by_name(name).unwrap().feature_names();
        assert_eq!(text.lines().next().unwrap(), names.join(","));
        assert_eq!(text.lines().count(), 6);
    }
}

#[test]
fn bad_input_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let refused = [
        (&["rocket", "-n", "5", "-o", "a.csv"][..], "no system is called `rocket`"),
        (&["robot", "-n", "0", "-o", "a.csv"], "-n must be positive"),
        (
            &["robot", "-n", "1000000000000000000", "-o", "a.csv"],
            "1000000000000000000 outcomes of 3 features need 24.000 EB of memory",
        ),
        // Three times this is 2 in 64 bits.
        (&["robot", "-n", "6148914691236517206", "-o", "a.npy"], "need 147.574 EB of memory"),
        (
            &["robot", "-n", "5", "-o", "a.xls"],
            "the file extension must be .csv, .parquet, .arrow,",
        ),
        (&["robot", "-n", "5", "-o", "a.npz"], "a.npz: archives are only read; write .npy instead"),
        (&["robot", "-n", "5"], "--out"),
    ];
    for (arguments, expected) in refused {
        let (done, message) = simulate(folder.path(), arguments);
        assert!(!done && message.contains(expected), "{arguments:?}: {message}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
