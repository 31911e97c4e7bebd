//! Outcomes in NumPy files: one array of numbers, `[n, d]` or `[n]`, without feature names.
//!
//! A file has six bytes of magic, two of version, the length of the header, the header and the numbers,
//! in row-major or column-major order. The header is a Python dictionary with the keys `descr` (type of
//! the numbers), `fortran_order` (whether the order is column-major) and `shape`.
//!
//! # References
//! - NumPy Enhancement Proposal 1, *A Simple File Format for NumPy Arrays*.

mod header;

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

use anyhow::Context;
use nalgebra::DMatrix;

use crate::outcomes::{
    columns::ColumnTable,
    npy::header::{Header, MAGIC},
    options::{ChosenColumns, ReadOptions},
    shape::TableShape,
    table::OutcomeTable,
};

/// The numbers begin at a multiple of this.
const ALIGNMENT: usize = 64;
/// Bytes read at once, a multiple of all widths.
const CHUNK: usize = 1 << 16;

pub(super) fn read(path: &Path, options: &ReadOptions) -> anyhow::Result<OutcomeTable> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        return read_array(&mut BufReader::new(file), metadata.len(), options);
    }
    // The length of a pipe is known at its end.
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    read_array(&mut &bytes[..], bytes.len() as u64, options)
}

/// Reads an array from `file`, which has `len` bytes.
///
/// Memory is asked for after the header was compared with `len`.
pub(super) fn read_array(
    file: &mut impl Read,
    len: u64,
    options: &ReadOptions,
) -> anyhow::Result<OutcomeTable> {
    let (header, begin) = Header::read(file)?;
    let available = usize::try_from(len.saturating_sub(begin))?;
    let Header { number, column_major, n, d } = header;
    let width = number.width;
    let mut left = TableShape::stored(n, d, width, available)?.len() * width;
    let (columns, named) = chosen(options, d)?;
    // The place of each column of the array in the table.
    let mut places = vec![None; d];
    for (k, &position) in columns.positions.iter().enumerate() {
        places[position] = Some(k);
    }
    let mut table = ColumnTable::new(columns.names, named, n, options)?;
    let (mut row, mut column) = (0, 0);
    let mut chunk = vec![0; CHUNK.min(left)];
    while left > 0 {
        let bytes = &mut chunk[..CHUNK.min(left)];
        file.read_exact(bytes).context("it is truncated or damaged")?;
        left -= bytes.len();
        for bytes in bytes.chunks_exact(width) {
            if let Some(k) = places[column] {
                table.put(row, k, number.value(bytes))?;
            }
            let (inner, outer, end) =
                if column_major { (&mut row, &mut column, n) } else { (&mut column, &mut row, d) };
            *inner += 1;
            if *inner == end {
                (*inner, *outer) = (0, *outer + 1);
            }
        }
    }
    // A member of an archive compares its checksum here.
    let rest = file.read(&mut [0]).context("it is damaged")?;
    anyhow::ensure!(rest == 0, "it is longer than its length says");
    table.admit()
}

/// The columns to read of an array of `d` columns, and whether they have names of their own.
fn chosen(options: &ReadOptions, d: usize) -> anyhow::Result<(ChosenColumns, bool)> {
    let generic: Vec<String> = (0..d).map(|i| format!("x{i}")).collect();
    let given = options.columns.iter().any(|name| !generic.contains(name));
    anyhow::ensure!(
        !given || options.columns.len() == d,
        "the array has {d} columns, --columns gives {} names",
        options.columns.len()
    );
    let columns = options.choose(if given { &options.columns } else { &generic })?;
    Ok((columns, given || !options.rename.is_empty()))
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

    /// The beginning of a file with this header, in format version 1 or 2.
    fn file_bytes(version: u8, header: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes
    }

    /// Reads a file with this header and these bytes of numbers.
    fn read_file(version: u8, header: &str, numbers: &[u8]) -> Result<OutcomeTable, String> {
        let bytes = [&file_bytes(version, header)[..], numbers].concat();
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
    fn integers_booleans_and_half_precision_are_read() {
        let read = |kind: &str, bytes: &[u8]| {
            let header =
                format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2, 1), }}");
            read_file(1, &header, bytes).map(|table| table.x.as_slice().to_vec())
        };
        for (kind, bytes, expected) in [
            ("|i1", &[0xff, 2][..], [-1.0, 2.0]),
            ("|u1", &[0xff, 2], [255.0, 2.0]),
            ("|b1", &[1, 0], [1.0, 0.0]),
            ("<i2", &[0xfe, 0xff, 0, 1], [-2.0, 256.0]),
            (">i2", &[0xff, 0xfe, 1, 0], [-2.0, 256.0]),
            ("<u2", &[0xfe, 0xff, 0, 1], [65534.0, 256.0]),
            ("<i4", &[0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0], [-2.0, 1.0]),
            (">u4", &[0xff, 0, 0, 0, 0, 0, 0, 1], [4278190080.0, 1.0]),
            (">i8", &[0xff; 16], [-1.0, -1.0]),
            ("<f2", &[0x00, 0x3c, 0x00, 0xc0], [1.0, -2.0]),
            (">f2", &[0x3c, 0x00, 0xc0, 0x00], [1.0, -2.0]),
        ] {
            assert_eq!(read(kind, bytes).unwrap(), expected.to_vec(), "{kind}");
        }
        // 2⁵³ and the next integer, and the largest one.
        let large = [(1_u64 << 53).to_le_bytes(), ((1_u64 << 53) + 1).to_le_bytes()].concat();
        for kind in ["<i8", "<u8"] {
            let error = read(kind, &large).unwrap_err();
            assert!(error.contains("row 1 (counted from 0): `x0` is 9007199254740993"), "{error}");
        }
        let error = read("<u8", &[0xff; 16]).unwrap_err();
        assert!(error.contains("row 0 (counted from 0): `x0` is 18446744073709551615"), "{error}");
    }

    #[test]
    fn one_axis_is_a_column_and_column_major_order_is_read() {
        let bytes: Vec<u8> = (0..6_u8).collect();
        let read = |rest: &str| {
            read_file(1, &format!("{{'descr': '|u1', 'fortran_order': {rest}, }}"), &bytes).unwrap()
        };
        for one in ["False, 'shape': (6,)", "True, 'shape': (6,)", "True, 'shape': (6, 1)"] {
            let table = read(one);
            assert_eq!((table.x.nrows(), table.names.join(",")), (1, "x0".to_owned()));
            assert_eq!(table.x.as_slice(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        }
        let table = read("True, 'shape': (2, 3)");
        assert_eq!(table.x.as_slice(), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        assert_eq!(read("False, 'shape': (2, 3)").x.as_slice(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn columns_that_are_not_chosen_may_hold_any_integer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let header = "{'descr': '<u8', 'fortran_order': False, 'shape': (2, 2), }";
        let numbers = [u64::MAX, 1, u64::MAX, 2].map(u64::to_le_bytes).concat();
        std::fs::write(&path, [&file_bytes(1, header)[..], &numbers].concat()).unwrap();
        let columns = vec!["x1".to_owned()];
        let table = read(&path, &ReadOptions { columns, ..ReadOptions::default() }).unwrap();
        assert_eq!((table.names.join(","), table.x.as_slice()), ("x1".to_owned(), &[1.0, 2.0][..]));
    }

    #[test]
    fn other_arrays_are_refused_with_the_reason() {
        let refused = |header: &str, bytes| read_file(1, header, &vec![0; bytes]).unwrap_err();
        for (header, expected) in [
            (
                "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 3), }",
                "has shape [1, 2, 3]",
            ),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", "has shape []"),
            ("{'descr': '<f8', 'fortran_order': None, 'shape': (2, 3), }", "damaged"),
            (
                "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2, 3), }",
                "several fields",
            ),
            ("{'descr': '<c16', 'fortran_order': False, 'shape': (1, 3), }", "complex numbers"),
            ("{'descr': '<f16', 'fortran_order': False, 'shape': (1, 3), }", "extended precision"),
            ("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (2, 3), }", "dates"),
            ("{'descr': '<U3', 'fortran_order': False, 'shape': (2, 3), }", "text"),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "Python objects"),
            ("{'descr': '|f8', 'fortran_order': False, 'shape': (2, 3), }", "have no order"),
            ("{'descr': '<i3', 'fortran_order': False, 'shape': (2, 8), }", "unknown type"),
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
