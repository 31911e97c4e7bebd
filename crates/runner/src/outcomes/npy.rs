//! Outcomes in NumPy files: one array `[n, d]`, without feature names.
//!
//! A file has six bytes of magic, two of version, the length of the header, the header and the numbers
//! in row-major order. The header is a Python dictionary with the keys `descr` (type of the numbers),
//! `fortran_order` and `shape`.
//!
//! # References
//! - NumPy Enhancement Proposal 1, *A Simple File Format for NumPy Arrays*.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

use anyhow::Context;
use nalgebra::DMatrix;

use crate::outcomes::{
    options::ReadOptions,
    shape::TableShape,
    table::{OutcomeTable, RawTable, row_of_array},
};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// The numbers begin at a multiple of this.
const ALIGNMENT: usize = 64;

pub(super) fn read(path: &Path, options: &ReadOptions) -> anyhow::Result<OutcomeTable> {
    let mut file = BufReader::new(File::open(path)?);
    let header = header(&mut file)?;
    let broken = || format!("the header is damaged: {}", header.trim_end());
    let shape: Vec<usize> = value(&header, "shape")
        .and_then(|text| text.strip_prefix('(')?.split_once(')'))
        .and_then(|(list, _)| {
            let numbers = list.split(',').map(str::trim).filter(|number| !number.is_empty());
            numbers.map(|number| number.parse().ok()).collect()
        })
        .with_context(broken)?;
    let [n, d] = shape[..] else {
        anyhow::bail!(
            "the array has shape {shape:?}; it must have two axes, outcomes and features"
        );
    };
    anyhow::ensure!(
        value(&header, "fortran_order").with_context(broken)?.starts_with("False"),
        "the array is in column-major order; save `numpy.ascontiguousarray(x)`"
    );
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let kind = value(&header, "descr").with_context(broken)?;
    let kind = kind.get(1..4).unwrap_or_default();
    let width = match kind {
        "<f8" | ">f8" => 8,
        "<f4" | ">f4" => 4,
        _ => anyhow::bail!("the numbers are neither float64 nor float32"),
    };
    let shape = TableShape::stored(n, d, width, bytes.len())?;
    let data = match kind {
        "<f8" => numbers(&bytes, f64::from_le_bytes),
        ">f8" => numbers(&bytes, f64::from_be_bytes),
        "<f4" => numbers(&bytes, |b| f64::from(f32::from_le_bytes(b))),
        _ => numbers(&bytes, |b| f64::from(f32::from_be_bytes(b))),
    };
    let x = shape.matrix(data)?;
    let generic: Vec<String> = (0..d).map(|i| format!("x{i}")).collect();
    let given =
        !options.columns.is_empty() && options.columns.iter().any(|name| !generic.contains(name));
    let (columns, x) = if given {
        anyhow::ensure!(
            options.columns.len() == d,
            "the array has {d} columns, --columns gives {} names",
            options.columns.len()
        );
        (options.choose(&options.columns)?, x)
    } else {
        let columns = options.choose(&generic)?;
        let x = if columns.names == generic { x } else { x.select_rows(&columns.positions) };
        (columns, x)
    };
    let named = given || !options.rename.is_empty();
    let mut table = RawTable::new(columns.names, named);
    table.data = x.data.into();
    table.admit(options, row_of_array)
}

/// Reads up to the end of the header.
fn header(file: &mut impl Read) -> anyhow::Result<String> {
    let broken = "it is truncated or not a NumPy file";
    let mut begin = [0; 8];
    file.read_exact(&mut begin).context(broken)?;
    anyhow::ensure!(begin.starts_with(MAGIC), broken);
    // Version 1 stores the length in two bytes, later versions in four.
    let mut len = [0; 4];
    let bytes = if begin[6] == 1 { 2 } else { 4 };
    file.read_exact(&mut len[..bytes]).context(broken)?;
    let len = u64::from(u32::from_le_bytes(len));
    let mut header = String::new();
    file.take(len).read_to_string(&mut header).context(broken)?;
    anyhow::ensure!(header.len() as u64 == len, broken);
    Ok(header)
}

/// The text that begins with the value of `key`.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let rest = quoted.iter().find_map(|key| Some(header.split_once(key)?.1))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// Numbers of `N` bytes each.
fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
}

pub(super) fn write(file: &mut File, x: &DMatrix<f64>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(file);
    let (d, n) = x.shape();
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n}, {d}), }}");
    // Magic, version and length take ten bytes, the line feed at the end one.
    let padding = (10 + header.len() + 1).next_multiple_of(ALIGNMENT) - (10 + header.len() + 1);
    header.push_str(&" ".repeat(padding));
    header.push('\n');
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&u16::try_from(header.len())?.to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for number in x {
        out.write_all(&number.to_le_bytes())?;
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with this header, in format version 1 or 2, and these bytes of numbers.
    fn read_file(version: u8, header: &str, numbers: &[u8]) -> Result<OutcomeTable, String> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes.extend(numbers);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        std::fs::write(&path, bytes).unwrap();
        read(&path, &ReadOptions::default()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn single_and_double_precision_of_both_byte_orders_are_read() {
        let numbers = [1.0, -2.5, 3.0, 0.25, 1e-3, 7.0];
        let expected = DMatrix::from_column_slice(3, 2, &numbers);
        let shape = "'fortran_order': False, 'shape': (2, 3), }  \n";
        let read = |version, kind: &str, bytes: Vec<u8>| {
            read_file(version, &format!("{{'descr': '{kind}', {shape}"), &bytes).unwrap()
        };
        let bytes = |f: fn(f64) -> Vec<u8>| numbers.iter().flat_map(|v| f(*v)).collect();
        for version in [1, 2] {
            let table = read(version, "<f8", bytes(|v| v.to_le_bytes().into()));
            assert_eq!((&table.x, &table.names[2]), (&expected, &"x2".to_owned()));
        }
        assert_eq!(read(1, ">f8", bytes(|v| v.to_be_bytes().into())).x, expected);
        let single = expected.map(|v| f64::from(v as f32));
        assert_eq!(read(1, "<f4", bytes(|v| (v as f32).to_le_bytes().into())).x, single);
        assert_eq!(read(1, ">f4", bytes(|v| (v as f32).to_be_bytes().into())).x, single);
    }

    #[test]
    fn other_arrays_are_refused_with_the_reason() {
        let refused = |header: &str, bytes| read_file(1, header, &vec![0; bytes]).unwrap_err();
        for (header, expected) in [
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }", "has shape [6]"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", "has shape []"),
            ("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", "ascontiguousarray"),
            ("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }", "neither float64 nor"),
            ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2, 3), }", "neither"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, -3), }", "damaged"),
            ("{'descr': '<f8', 'shape': (2, 3), }", "damaged"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4), }", "is truncated"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 5), }", "8 bytes follow"),
            // These products are 0, 16 and 0 in 64 bits.
            (
                "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 1000000000000000000), }",
                "contains no outcomes",
            ),
            (
                "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775816, 2), }",
                "more than any memory holds",
            ),
            (
                "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
                "more than any memory holds",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 1000000000000000), }",
                "is truncated",
            ),
        ] {
            let error = refused(header, 48);
            assert!(error.contains(expected), "{header}: {error}");
        }
    }
}
