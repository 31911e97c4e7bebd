//! Arrow and NumPy files of other programs, and integers that no `f64` is equal to.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use latent_is_runner::outcomes::{options::ReadOptions, read, table::OutcomeTable};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn list(names: &str) -> Vec<String> {
    names.split(',').map(str::to_owned).collect()
}

fn table(name: &str) -> OutcomeTable {
    read(&shipped(name), &ReadOptions::default()).unwrap()
}

fn refused(name: &str, options: &ReadOptions) -> String {
    let error = format!("{:#}", read(&shipped(name), options).unwrap_err());
    assert!(error.contains(name) && !error.contains('\n'), "{error}");
    error
}

fn columns(columns: &str) -> ReadOptions {
    ReadOptions { columns: list(columns), ..ReadOptions::default() }
}

#[test]
fn all_number_types_of_arrow_are_read_in_all_compressions() {
    // The same numbers, in a format that has tests of its own.
    let expected = table("types.parquet");
    for name in ["types.arrow", "types_lz4.feather", "types_zstd.ipc"] {
        let found = table(name);
        assert_eq!(found.names, expected.names, "{name}");
        assert_eq!(found.x, expected.x, "{name}");
    }
    let expected = table("waves_snappy.parquet");
    for name in ["waves_uncompressed.arrow", "waves_lz4.arrow", "waves_zstd.arrow"] {
        assert_eq!(table(name).x, expected.x, "{name}");
    }
}

#[test]
fn an_arrow_data_frame_is_read_as_declared() {
    let message = |columns_: &str| refused("frame.arrow", &columns(columns_));
    for (name, expected) in [
        ("text", "`text` is text, not a number"),
        ("list", "`list` is a list or a structure"),
        ("struct", "`struct` is a list or a structure"),
        ("when", "`when` is a time"),
        ("day", "`day` is a date"),
        ("none", "`none` is a column without values"),
        ("label", "`label` is text"),
        ("a", "row 1 (counted from 0): `a` is missing"),
        ("b", "row 2 (counted from 0): `b` is NaN"),
        ("flag", "row 1 (counted from 0): `flag` is missing"),
    ] {
        let error = message(name);
        assert!(error.contains(expected), "{error}");
    }
    let options = ReadOptions { missing: list(",NaN"), ..columns("b,flag,a") };
    let table = read(&shipped("frame.arrow"), &options).unwrap();
    assert_eq!((table.names.join(","), table.left_out), ("b,flag,a".to_owned(), 2));
    assert_eq!(table.x.as_slice(), [4.0, 1.0, 1.0, 7.5, 1.0, 4.0]);
}

#[test]
fn dictionaries_may_grow_and_texts_may_stand_between_the_numbers() {
    let options = ReadOptions { missing: list(""), ..ReadOptions::default() };
    let delta = read(&shipped("delta.arrow"), &options).unwrap();
    assert_eq!(delta.x.as_slice(), [10.0, 20.0, 10.0, 20.0, 30.0, 40.0]);
    assert_eq!(delta.left_out, 1);
    // A file of polars, with texts as views.
    let options = ReadOptions { missing: list(""), ..columns("p,q") };
    let polars = read(&shipped("polars.arrow"), &options).unwrap();
    assert_eq!((polars.x.ncols(), polars.left_out), (16, 4));
    assert_eq!(polars.x.column(4).as_slice(), [1.5, 1.0]);
}

#[test]
fn other_formats_of_arrow_are_refused_by_name() {
    let none = ReadOptions::default();
    let error = refused("version1.feather", &none);
    assert!(error.contains("it is a Feather file of version 1; read it with pandas"), "{error}");
    let error = refused("stream.arrow", &none);
    assert!(error.contains("it is a stream of Arrow, not a file"), "{error}");
}

#[test]
fn integers_that_no_float_is_equal_to_are_refused_in_all_formats() {
    for (name, column) in [("large.parquet", "id"), ("large.arrow", "id"), ("large.npy", "x1")] {
        let error = refused(name, &ReadOptions::default());
        let row = if name == "large.npy" { 1 } else { 2 };
        let expected = format!(
            "row {row} (counted from 0): `{column}` is 9007199254740993, an integer that no float64 is equal to"
        );
        assert!(error.contains(&expected), "{error}");
    }
    assert_eq!(read(&shipped("large.arrow"), &columns("x")).unwrap().x.ncols(), 3);
}

#[test]
fn arrays_of_numpy_are_read() {
    let x = [1.5, -2.0, 3.0, 0.25, 5.0, -6.0];
    for name in ["fortran.npy", "half.npy", "one.npz"] {
        let table = table(name);
        assert_eq!((table.x.nrows(), table.x.as_slice()), (3, &x[..]), "{name}");
    }
    assert_eq!(table("one_axis.npy").x.as_slice(), [1.5, 0.25]);
    assert_eq!(table("int16.npy").x.as_slice(), [1.0, -2.0, 300.0, 4.0]);
    assert_eq!(table("bool.npy").x.as_slice(), [1.0, 0.0, 1.0, 1.0, 1.0, 0.0]);
    let deflated = table("deflated.npz");
    assert_eq!(deflated.x.shape(), (3, 100));
    assert_eq!(deflated.x.columns(98, 2).iter().copied().collect::<Vec<_>>(), x);
    let error = refused("two.npz", &ReadOptions::default());
    assert!(error.contains("it has 2 arrays (x, y), not one"), "{error}");
}

/// Each byte of a file changed in three ways, and the file cut at each place: an error or a table, at
/// once, and no panic.
#[test]
fn damaged_files_never_stop_the_program() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "types.arrow",
        "types_zstd.ipc",
        "waves_lz4.arrow",
        "delta.arrow",
        "polars.arrow",
        "deflated.npz",
        "fortran.npy",
    ] {
        let good = std::fs::read(shipped(name)).unwrap();
        let path = folder.path().join(name);
        for i in (0..good.len()).step_by(if good.len() > 1500 { 3 } else { 1 }) {
            let mut changed = vec![good[..i].to_vec()];
            for byte in [0, 0xff, good[i] ^ 0x10] {
                let mut bytes = good.clone();
                bytes[i] = byte;
                changed.push(bytes);
            }
            for bytes in changed {
                // A new file: some file systems wait for the disk when one is overwritten.
                std::fs::remove_file(&path).ok();
                std::fs::write(&path, bytes).unwrap();
                let begin = Instant::now();
                let options =
                    if name == "polars.arrow" { columns("p,q") } else { ReadOptions::default() };
                if let Err(error) = read(&path, &options) {
                    assert!(format!("{error:#}").contains(name));
                }
                assert!(begin.elapsed() < Duration::from_secs(1), "{name}, byte {i}");
            }
        }
    }
}
