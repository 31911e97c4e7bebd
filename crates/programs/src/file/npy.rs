//! Arrays in NumPy's format, versions 1 and 2.
//!
//! Written: little-endian `f64` or `u64`. Read: little-endian `f64`, one- or two-dimensional.
//!
//! # References
//! - NumPy Enhancement Proposal 1: A simple file format for NumPy arrays.

const MAGIC: &[u8] = b"\x93NUMPY";

/// A two-dimensional array of `f64`, row by row.
pub(crate) fn write<'a>(m: usize, n: usize, rows: impl Iterator<Item = &'a [f64]>) -> Vec<u8> {
    let mut out = header("<f8", &format!("({n}, {m})"));
    for row in rows {
        out.extend(row.iter().flat_map(|value| value.to_le_bytes()));
    }
    out
}

/// A one-dimensional array of `u64`.
pub(crate) fn write_seeds(seeds: &[u64]) -> Vec<u8> {
    let mut out = header("<u8", &format!("({},)", seeds.len()));
    out.extend(seeds.iter().flat_map(|seed| seed.to_le_bytes()));
    out
}

fn header(kind: &str, shape: &str) -> Vec<u8> {
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    // The data begin at a multiple of 64 bytes.
    let length = (MAGIC.len() + 4 + text.len() + 1).next_multiple_of(64);
    let pad = length - MAGIC.len() - 4 - text.len() - 1;
    text.push_str(&" ".repeat(pad));
    text.push('\n');
    let mut out = MAGIC.to_vec();
    out.extend([1, 0]);
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
    out
}

/// Reads an array of `n` rows and `d` columns; one-dimensional if one of the two is 1. Returns its rows.
pub(crate) fn read(bytes: &[u8], n: usize, d: usize) -> Result<Vec<Vec<f64>>, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it is no .npy file")?;
    let short = "it ends within its header";
    let (&[major, _], rest) = rest.split_first_chunk::<2>().ok_or(short)?;
    let (length, rest) = match major {
        1 => {
            let (size, rest) = rest.split_first_chunk::<2>().ok_or(short)?;
            (usize::from(u16::from_le_bytes(*size)), rest)
        }
        2 | 3 => {
            let (size, rest) = rest.split_first_chunk::<4>().ok_or(short)?;
            (u32::from_le_bytes(*size) as usize, rest)
        }
        other => return Err(format!("it has version {other} of the format; save version 1")),
    };
    let (text, data) = rest.split_at_checked(length).ok_or(short)?;
    let text = String::from_utf8_lossy(text);
    let kind = value(&text, "descr").ok_or("its header has no `descr`")?;
    if kind.trim_matches(['\'', '"']) != "<f8" {
        return Err(format!("it holds {kind}; save 64-bit floats, with `x.astype(\"<f8\")`"));
    }
    let fortran = value(&text, "fortran_order") == Some("True");
    let shape = value(&text, "shape").ok_or("its header has no `shape`")?;
    let sizes = shape.trim_matches(['(', ')']).split(',').map(str::trim);
    let sizes: Result<Vec<usize>, _> = sizes.filter(|s| !s.is_empty()).map(str::parse).collect();
    let fits = match sizes.as_deref() {
        Ok([rows, columns]) => (*rows, *columns) == (n, d),
        Ok([all]) => (n == 1 || d == 1) && *all == n * d,
        Ok([]) => n * d == 1,
        _ => false,
    };
    if !fits {
        return Err(format!("its shape is {shape}, wanted ({n}, {d}): one row per sample"));
    }
    let (numbers, more) = data.as_chunks::<8>();
    if numbers.len() != n * d || !more.is_empty() {
        return Err(format!("it holds {} bytes of data, wanted {}", data.len(), 8 * n * d));
    }
    let at = |row, column| if fortran { column * n + row } else { row * d + column };
    let row = |row| (0..d).map(|column| f64::from_le_bytes(numbers[at(row, column)])).collect();
    Ok((0..n).map(row).collect())
}

/// The value of an entry of the header.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let after = &header[header.find(&format!("'{key}'"))? + key.len() + 2..];
    let after = after.trim_start().strip_prefix(':')?.trim_start();
    let end = if after.starts_with('(') {
        after.find(')')? + 1
    } else {
        after.find([',', '}']).unwrap_or(after.len())
    };
    Some(after[..end].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_written_and_read() {
        let rows = [[1.0, 2.0, 3.0], [4.0, 5.0, f64::MAX]];
        let bytes = write(3, 2, rows.iter().map(<[f64; 3]>::as_slice));
        assert_eq!((bytes.len() - 48) % 64, 0);
        assert_eq!(read(&bytes, 2, 3).unwrap(), rows);
        assert!(read(&bytes, 3, 2).unwrap_err().contains("(2, 3)"));
        assert!(read(&bytes[..bytes.len() - 1], 2, 3).unwrap_err().contains("bytes"));
        for n in 0..bytes.len() {
            assert!(read(&bytes[..n], 2, 3).is_err(), "{n}");
        }
    }

    // `numpy.save(file, numpy.asfortranarray([[1., 2.], [3., 4.]]))` and `numpy.arange(3, dtype="<u8")`,
    // NumPy 2: the headers, written by hand here after what NumPy wrote.
    #[test]
    fn what_numpy_writes_is_read() {
        let file = |text: &str, values: &[f64]| {
            let mut out = b"\x93NUMPY\x01\x00".to_vec();
            out.extend((text.len() as u16).to_le_bytes());
            out.extend(text.as_bytes());
            out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            out
        };
        let fortran = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }   \n";
        let bytes = file(fortran, &[1.0, 3.0, 2.0, 4.0]);
        assert_eq!(read(&bytes, 2, 2).unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
        let flat = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n";
        assert_eq!(read(&file(flat, &[1.0; 3]), 3, 1).unwrap(), [[1.0], [1.0], [1.0]]);
        let single = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n";
        assert!(read(&file(single, &[1.0; 3]), 3, 1).unwrap_err().contains("astype"));
        let seeds = write_seeds(&[0, 1, 2]);
        let text = String::from_utf8_lossy(&seeds[10..80]).into_owned();
        assert!(text.starts_with("{'descr': '<u8', 'fortran_order': False, 'shape': (3,), }"));
        assert!(seeds.ends_with(&[2, 0, 0, 0, 0, 0, 0, 0]));
    }
}
