//! Files of outcomes: what is read, and what is refused with its place.

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

/// Reads `text` as a file of this name.
fn read_text(
    name: &str,
    text: impl AsRef<[u8]>,
    options: &ReadOptions,
) -> Result<OutcomeTable, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let table = read(&path, options).map_err(|error| format!("{error:#}"));
    if let Err(message) = &table {
        assert!(message.contains(name) && !message.contains('\n'), "{message}");
    }
    table
}

fn read_csv(text: &str, options: &ReadOptions) -> Result<OutcomeTable, String> {
    read_text("d.csv", text, options)
}

fn refused(text: &str, options: &ReadOptions) -> String {
    read_csv(text, options).unwrap_err()
}

fn row(table: &OutcomeTable, i: usize) -> Vec<f64> {
    table.x.column(i).iter().copied().collect()
}

#[test]
fn all_compressions_and_page_versions_are_read() {
    for name in
        ["waves_snappy", "waves_zstd", "waves_gzip", "waves_brotli", "waves_lz4", "v2", "delta"]
    {
        let path = shipped(&format!("{name}.parquet"));
        let table = read(&path, &ReadOptions::default()).unwrap();
        assert_eq!((table.names.join(","), table.x.ncols()), ("a,b".to_owned(), 40), "{name}");
        for i in 0..40 {
            let expected = [4.0 * (i as f64).sin(), (0.7 * i as f64).cos()];
            // Two and three digits.
            assert!((table.x[(0, i)] - expected[0]).abs() < 0.006, "{name}, row {i}");
            assert!((table.x[(1, i)] - expected[1]).abs() < 0.0006, "{name}, row {i}");
        }
        assert_eq!(row(&table, 1), [3.37, 0.765]);
    }
}

/// A column and its value in row `i`.
type Column = (&'static str, fn(f64) -> f64);

#[test]
fn all_number_types_are_read() {
    let table = read(&shipped("types.parquet"), &ReadOptions::default()).unwrap();
    let expected: [Column; 14] = [
        ("u8", |i| 30.0 * i),
        ("u16", |i| 9000.0 * i),
        ("u32", |i| 600_000_000.0 * i),
        ("u64", |i| 2_f64.powi(61) * i),
        ("i8", |i| i - 4.0),
        ("i16", |i| 8000.0 * (i - 4.0)),
        ("i32", |i| 500_000_000.0 * (i - 4.0)),
        ("i64", |i| 2_f64.powi(40) * (i - 4.0)),
        ("f16", |i| 0.25 * i),
        ("f32", |i| 0.5 * i),
        ("f64", |i| 0.1 * i),
        ("bool", |i| i % 2.0),
        ("decimal", |i| 1.25 * (i - 4.0)),
        ("dictionary", |i| 0.5 * (i % 3.0)),
    ];
    assert_eq!(table.names, expected.map(|(name, _)| name));
    for (k, (name, value)) in expected.iter().enumerate() {
        for i in 0..8 {
            let (found, expected) = (table.x[(k, i)], value(i as f64));
            assert_eq!(found.to_bits(), expected.to_bits(), "{name}: {found} and {expected}");
        }
    }
}

#[test]
fn a_data_frame_is_read_as_declared() {
    let path = shipped("frame.parquet");
    let message = |options: &ReadOptions| format!("{:#}", read(&path, options).unwrap_err());
    let index = message(&ReadOptions::default());
    assert!(index.contains("column 5 is called `__index_level_0__`"), "{index}");
    let of = |columns: &str, missing: &str| ReadOptions {
        columns: list(columns),
        missing: if missing == "none" { Vec::new() } else { list(missing) },
        ..ReadOptions::default()
    };
    let time = message(&of("a,when", "none"));
    assert!(time.contains("`when` is a time, not a number"), "{time}");
    assert!(message(&of("a,text", "none")).contains("`text` is text, not a number"));
    let missing = message(&of("a,b", "none"));
    assert!(missing.contains("row 1 (counted from 0): `a` is missing"), "{missing}");
    let nan = message(&of("b", "none"));
    assert!(nan.contains("row 2 (counted from 0): `b` is NaN"), "{nan}");
    let table = read(&path, &of("b,a", ",NaN")).unwrap();
    assert_eq!((table.names.join(","), table.left_out), ("b,a".to_owned(), 2));
    assert_eq!([row(&table, 0), row(&table, 1)], [[4.0, 1.0], [7.5, 4.0]]);
}

#[test]
fn hostile_parquet_files_are_refused_at_once() {
    for (name, expected) in [
        ("endless.parquet", "column `x` is damaged"),
        ("negative-length.parquet", "column `x` is damaged"),
        ("no-dictionary.parquet", "refers to a dictionary that is not there"),
    ] {
        let begin = Instant::now();
        let error = format!("{:#}", read(&shipped(name), &ReadOptions::default()).unwrap_err());
        assert!(begin.elapsed() < Duration::from_secs(1), "{name}");
        assert!(error.contains(name) && error.contains(expected), "{error}");
    }
}

/// Each byte of a file changed in three ways, and the file cut at each place: an error or a table, at
/// once, and no panic.
#[test]
fn damaged_parquet_files_never_stop_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.parquet");
    for name in ["waves_snappy.parquet", "types.parquet", "v2.parquet"] {
        let good = std::fs::read(shipped(name)).unwrap();
        for i in (0..good.len()).step_by(if name == "types.parquet" { 5 } else { 2 }) {
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
                if let Err(error) = read(&path, &ReadOptions::default()) {
                    assert!(format!("{error:#}").contains("d.parquet"));
                }
                assert!(begin.elapsed() < Duration::from_secs(1), "{name}, byte {i}");
            }
        }
    }
}

#[test]
fn separators_and_decimal_marks_are_declared() {
    let german = "a;b\n1,5;2\n-3;4,25\n";
    let error = refused(german, &ReadOptions::default());
    assert!(error.contains("use --delimiter ';'"), "{error}");
    let semicolon = ReadOptions { delimiter: Some(";".parse().unwrap()), ..ReadOptions::default() };
    let error = refused(german, &semicolon);
    assert!(
        error.contains("line 2: `a` is `1,5`, not a number; for a decimal comma use --decimal ,"),
        "{error}"
    );
    let both = ReadOptions { decimal: Some(",".parse().unwrap()), ..semicolon };
    let table = read_csv(german, &both).unwrap();
    assert_eq!([row(&table, 0), row(&table, 1)], [[1.5, 2.0], [-3.0, 4.25]]);
    let tab = "a\tb\n1\t2\n";
    let error = refused(tab, &ReadOptions::default());
    assert!(error.contains("use --delimiter tab"), "{error}");
    let options = ReadOptions { delimiter: Some("tab".parse().unwrap()), ..ReadOptions::default() };
    assert_eq!(row(&read_csv(tab, &options).unwrap(), 0), [1.0, 2.0]);
    let comma = ReadOptions { decimal: Some(",".parse().unwrap()), ..ReadOptions::default() };
    assert!(refused("a,b\n1,2\n", &comma).contains("declare it with --delimiter"));
}

#[test]
fn missing_values_units_and_names_are_declared() {
    let text = "a,b\nm,s\n1,2\nNA,3\n4,-999.0\n5,6\n";
    let error = refused(text, &ReadOptions::default());
    assert!(
        error.contains("line 2: `a` is `m`, not a number; if line 2 holds units use --units-row"),
        "{error}"
    );
    let units = ReadOptions { units_row: true, ..ReadOptions::default() };
    let error = refused(text, &units);
    assert!(
        error.contains(
            "line 4: `a` is `NA`, not a number; if it stands for a missing value use --missing 'NA'"
        ),
        "{error}"
    );
    let table = read_csv(text, &ReadOptions { missing: list("NA,-999"), ..units }).unwrap();
    assert_eq!((table.left_out, table.x.ncols()), (2, 2));
    assert_eq!([row(&table, 0), row(&table, 1)], [[1.0, 2.0], [5.0, 6.0]]);

    let columns = ReadOptions { columns: list("b,a"), ..ReadOptions::default() };
    let error = refused("1,2\n3,4\n", &ReadOptions::default());
    assert!(error.contains("name the 2 columns with --columns"), "{error}");
    let table = read_csv("1,2\n3,4\n", &columns).unwrap();
    assert_eq!((table.names.join(","), row(&table, 0)), ("b,a".to_owned(), vec![1.0, 2.0]));
    // Other columns may hold anything.
    let table = read_csv("date,a,b\nMonday,1,2\n,3,4\n", &columns).unwrap();
    assert_eq!([row(&table, 0), row(&table, 1)], [[2.0, 1.0], [4.0, 3.0]]);
}

#[test]
fn encodings_with_a_mark_are_read() {
    let text = "a,b\r\n1,2\r\n";
    let utf16 = |mark: [u8; 2], unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect()
    };
    let utf8: Vec<u8> = [&[0xef, 0xbb, 0xbf][..], text.as_bytes()].concat();
    for bytes in
        [utf8, utf16([0xff, 0xfe], u16::to_le_bytes), utf16([0xfe, 0xff], u16::to_be_bytes)]
    {
        let table = read_text("d.csv", bytes, &ReadOptions::default()).unwrap();
        assert_eq!((table.names.join(","), row(&table, 0)), ("a,b".to_owned(), vec![1.0, 2.0]));
    }
    let latin = read_text("d.csv", b"a,b\n1,2\n\xb5,3\n", &ReadOptions::default()).unwrap_err();
    assert!(latin.contains("line 3 is not UTF-8; save the file in UTF-8"), "{latin}");
}

#[test]
fn lines_are_counted_as_editors_count_them() {
    let error =
        format!("{:#}", read(&shipped("crlf_missing.csv"), &ReadOptions::default()).unwrap_err());
    assert!(error.contains("line 300: `hs` is missing"), "{error}");
    let with = |text: &str| refused(text, &ReadOptions::default());
    assert!(with("a,b\r\n1,2\r\n\r\n3\r\n").contains("line 4 has 1 entries, the first line has 2"));
    assert!(with("a,b\n\n1,2\n\n3,NaN\n").contains("line 5: `b` is NaN"));
    assert!(with("a,b\r\n1,2\r\ninf,2\r\n").contains("line 3: `a` is inf; remove or correct"));
}

#[test]
fn the_gate_is_the_same_for_all_formats() {
    let none = ReadOptions::default();
    for name in ["e.csv", "e.npy", "e.parquet"] {
        assert!(read_text(name, "", &none).is_err());
    }
    assert!(refused("", &none).contains("d.csv: it is empty"));
    assert!(refused("a,b\n", &none).contains("contains no outcomes"));
    let index = refused(",a,b\n0,1,2\n", &none);
    assert!(
        index.contains(
            "column 1 has no name, as the index of a data frame; leave it out: --columns a,b"
        ),
        "{index}"
    );
    assert!(refused("a,b,a\n1,2,3\n", &none).contains("columns 1 and 3 are both called `a`"));
    assert!(refused("a,b\n1,\u{1b}[31m\n", &none).contains("`b` is `\\u{1b}[31m`, not a number"));
    let long = refused(&format!("a,b\n1,{}\n", "z".repeat(100_000)), &none);
    assert!(long.len() < 400, "{}", long.len());

    let npy = |numbers: &[f64]| {
        let header = format!(
            "{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, 2), }}\n",
            numbers.len() / 2
        );
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(numbers.iter().flat_map(|v| v.to_le_bytes()));
        bytes
    };
    let numbers = [1.0, 2.0, 3.0, f64::INFINITY, 5.0, 6.0];
    let error = read_text("d.npy", npy(&numbers), &none).unwrap_err();
    assert!(error.contains("row 1 (counted from 0): `x1` is inf"), "{error}");
    let options = ReadOptions { missing: list("inf"), columns: list("a,b"), ..none };
    let table = read_text("d.npy", npy(&numbers), &options).unwrap();
    assert_eq!((table.names.join(","), table.left_out, table.x.ncols()), ("a,b".to_owned(), 1, 2));
}
