//! Outcomes in NumPy archives: a ZIP file with one array, stored or deflated.
//!
//! The array goes through the reader of `npy` as it is unpacked, so no more memory is asked for than
//! its numbers take, and that only after header, archive and file agree about their count.

use std::{fs::File, io::BufReader, path::Path};

use anyhow::Context;
use zip::{CompressionMethod, ZipArchive};

use crate::outcomes::{npy, options::ReadOptions, table::OutcomeTable, text};

/// No deflated file is smaller than its contents by more than this factor,
const LARGEST_RATIO: u64 = 1032;
/// but for its first block.
const FREE_BYTES: u64 = 1 << 10;

pub(super) fn read(path: &Path, options: &ReadOptions) -> anyhow::Result<OutcomeTable> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    anyhow::ensure!(len > 0, "it is empty");
    let mut archive = ZipArchive::new(BufReader::new(file))
        .context("it is truncated or not a NumPy archive (.npz)")?;
    if archive.len() != 1 {
        let names: Vec<String> = archive
            .file_names_raw()
            .map(|name| String::from_utf8_lossy(name).trim_end_matches(".npy").to_owned())
            .collect();
        anyhow::bail!(
            "it has {} arrays ({}), not one; save the outcomes alone: numpy.savez(file, x=x)",
            names.len(),
            text::listed(&names, ", ")
        );
    }
    let mut array = archive.by_index(0).context("it is damaged")?;
    let (packed, unpacked) = (array.compressed_size(), array.size());
    let method = array.compression();
    anyhow::ensure!(packed <= len, "it is truncated");
    let largest = match method {
        CompressionMethod::Stored => packed,
        CompressionMethod::Deflated => packed.saturating_mul(LARGEST_RATIO) + FREE_BYTES,
        other => anyhow::bail!(
            "its array is compressed by the method {other}; save it with numpy.savez or numpy.savez_compressed"
        ),
    };
    anyhow::ensure!(
        unpacked <= largest,
        "it is damaged: its array of {unpacked} bytes cannot be packed in {packed}"
    );
    npy::read_array(&mut array, unpacked, options)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use nalgebra::DMatrix;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// The bytes of an `.npy` file of doubles with 200 rows of 3.
    fn array() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        npy::write(&mut File::create(&path).unwrap(), &matrix()).unwrap();
        std::fs::read(path).unwrap()
    }

    fn matrix() -> DMatrix<f64> {
        DMatrix::from_fn(3, 200, |i, j| (i + 3 * (j % 7)) as f64)
    }

    fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            let options = SimpleFileOptions::default().compression_method(method);
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn read_bytes(bytes: &[u8]) -> Result<OutcomeTable, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        std::fs::write(&path, bytes).unwrap();
        read(&path, &ReadOptions::default()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn one_array_is_read_stored_or_deflated() {
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let table = read_bytes(&archive(&[("x.npy", &array())], method)).unwrap();
            assert_eq!((table.x, table.names.join(",")), (matrix(), "x0,x1,x2".to_owned()));
        }
    }

    #[test]
    fn several_arrays_and_none_are_refused_with_their_names() {
        let bytes = array();
        let two = archive(&[("x.npy", &bytes), ("y.npy", &bytes)], CompressionMethod::Stored);
        let error = read_bytes(&two).unwrap_err();
        assert!(error.contains("it has 2 arrays (x, y), not one"), "{error}");
        let none = archive(&[], CompressionMethod::Stored);
        assert!(read_bytes(&none).unwrap_err().contains("it has 0 arrays"));
        let text = archive(&[("x.txt", b"1 2 3")], CompressionMethod::Stored);
        assert!(read_bytes(&text).unwrap_err().contains("not a NumPy file"));
    }

    #[test]
    fn sizes_that_do_not_agree_are_refused() {
        // An array that says it has more numbers than there are bytes, and one with fewer.
        let bytes = array();
        for (from, to, expected) in
            [("(200, 3)", "(900, 3)", "truncated"), ("(200, 3)", "(100, 3)", "follow")]
        {
            let changed = bytes.windows(8).position(|w| w == from.as_bytes()).unwrap();
            let mut array = bytes.clone();
            array[changed..changed + 8].copy_from_slice(to.as_bytes());
            let error = read_bytes(&archive(&[("x.npy", &array)], CompressionMethod::Deflated))
                .unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        // A length in the directory that the packed bytes cannot have.
        let good = archive(&[("x.npy", &bytes)], CompressionMethod::Deflated);
        let size = (bytes.len() as u32).to_le_bytes();
        let places: Vec<usize> = (0..good.len() - 4).filter(|i| good[*i..*i + 4] == size).collect();
        assert_eq!(places.len(), 2);
        let mut bomb = good.clone();
        for place in places {
            bomb[place..place + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
        }
        let error = read_bytes(&bomb).unwrap_err();
        assert!(error.contains("cannot be packed in"), "{error}");
        let mut checksum = good;
        let middle = checksum.len() / 2;
        checksum[middle] ^= 1;
        assert!(read_bytes(&checksum).is_err());
    }
}
