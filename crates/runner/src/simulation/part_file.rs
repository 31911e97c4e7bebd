//! The finished blocks of a simulation, in a file next to the result.
//!
//! `FILE.part` contains one line of JSON that says what is simulated, then the complete blocks. A block
//! is its outcomes as little-endian `f64`, one outcome after the other, and a checksum: the first 16
//! hexadecimal digits of the BLAKE3 hash of the first line, the number of the block and the outcomes.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sim_core::Simulator;

/// Value of the key `format` of the first line.
const FORMAT: &str = "latent-is simulation";
/// Version of the format. Version 1 had neither the key `format` nor checksums.
const VERSION: u32 = 2;
/// Bytes of a checksum.
const CHECKSUM: usize = 16;
/// Longest first line.
const LONGEST_LINE: u64 = 4096;
/// What a user does with a file that is refused.
const MEND: &str = "remove it or choose another name";

/// The first line of a part file. A run resumes only from a file with the same first line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct PartHeader {
    #[serde(default)]
    format: String,
    version: u32,
    simulator: String,
    seed: u64,
    features: usize,
    block_len: usize,
}

/// An open part file, positioned at its end.
pub struct PartFile {
    path: PathBuf,
    file: File,
    /// The first line.
    line: String,
    /// Numbers per block.
    block: usize,
    /// Number of complete blocks in the file.
    blocks: u64,
    outcomes: Vec<f64>,
}

/// The path of the part file of the result `out`.
pub fn part_path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Removes the part file of the result `out`, which is saved.
///
/// # Errors
/// When the file cannot be removed.
pub fn remove_part(out: &Path) -> anyhow::Result<()> {
    let path = part_path(out);
    std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
}

impl PartFile {
    /// Opens or creates the part file of the result `out` and reads its complete blocks.
    ///
    /// # Errors
    /// When the file cannot be read or written, belongs to another simulation, is not a part file, or
    /// was changed.
    pub fn open(out: &Path, simulator: &dyn Simulator, seed: u64) -> anyhow::Result<Self> {
        let path = part_path(out);
        let header = PartHeader {
            format: FORMAT.to_owned(),
            version: VERSION,
            simulator: simulator.name().to_owned(),
            seed,
            features: simulator.dim(),
            block_len: simulator.block_len(),
        };
        Self::open_for(&path, &header).with_context(|| format!("cannot use {}", path.display()))
    }

    fn open_for(path: &Path, header: &PartHeader) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        let line = serde_json::to_string(header)? + "\n";
        let block = header.features * header.block_len;
        let outcomes = match read_line(&file)? {
            // The program was interrupted while it wrote the line.
            found if line.as_bytes().starts_with(&found) && found.len() < line.len() => {
                file.set_len(0)?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(line.as_bytes())?;
                Vec::new()
            }
            found => {
                check(&found, header)?;
                read_blocks(&mut file, &line, block)?
            }
        };
        let blocks = (outcomes.len() / block) as u64;
        let end = line.len() as u64 + blocks * (8 * block + CHECKSUM) as u64;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok(Self { path: path.to_owned(), file, line, block, blocks, outcomes })
    }

    /// The outcomes of the complete blocks that were in the file, `n * d` numbers.
    pub(super) fn take_outcomes(&mut self) -> Vec<f64> {
        std::mem::take(&mut self.outcomes)
    }

    /// Appends the complete blocks of finished outcomes, `n * d` numbers. They begin with a block; an
    /// incomplete block at the end of a simulation is left out.
    pub(super) fn append(&mut self, outcomes: &[f64]) -> anyhow::Result<()> {
        let mut bytes = Vec::with_capacity(8 * outcomes.len());
        for block in outcomes.chunks_exact(self.block) {
            let begin = bytes.len();
            bytes.extend(block.iter().flat_map(|v| v.to_le_bytes()));
            let checksum = checksum(&self.line, self.blocks, &bytes[begin..]);
            bytes.extend(checksum.as_bytes());
            self.blocks += 1;
        }
        self.file.write_all(&bytes).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// The first line with its end, or what there is of it.
fn read_line(file: &File) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(file.take(LONGEST_LINE)).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Refuses a first line other than that of `header`.
fn check(line: &[u8], header: &PartHeader) -> anyhow::Result<()> {
    let Ok(found) = serde_json::from_slice::<PartHeader>(line) else {
        anyhow::bail!("it is not part of an earlier run; {MEND}");
    };
    anyhow::ensure!(
        found.version == VERSION,
        "it has format version {}, this program reads version {VERSION}; {MEND}",
        found.version
    );
    anyhow::ensure!(
        found == *header,
        "it belongs to another run ({}, seed {}); {MEND}",
        found.simulator,
        found.seed
    );
    Ok(())
}

/// The outcomes of the complete blocks after the first line, `block` numbers each. An incomplete block
/// at the end is left out.
fn read_blocks(file: &mut File, line: &str, block: usize) -> anyhow::Result<Vec<f64>> {
    file.seek(SeekFrom::Start(line.len() as u64))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut outcomes = Vec::with_capacity(bytes.len() / 8);
    for (i, bytes) in bytes.chunks_exact(8 * block + CHECKSUM).enumerate() {
        let (numbers, found) = bytes.split_at(8 * block);
        anyhow::ensure!(
            checksum(line, i as u64, numbers).as_bytes() == found,
            "block {i} does not match its checksum: the file was changed or damaged; {MEND}"
        );
        outcomes.extend(numbers.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)));
    }
    Ok(outcomes)
}

/// The checksum of block `i`.
pub(super) fn checksum(line: &str, i: u64, numbers: &[u8]) -> String {
    safe_file::digest(&[line.as_bytes(), &i.to_le_bytes(), numbers])
}

#[cfg(test)]
mod tests {
    use sim_toy::Robot;

    use super::*;

    #[test]
    fn the_part_file_of_another_run_and_a_foreign_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("robot.npy");
        let robot = Robot::default();
        PartFile::open(&out, &robot, 4).unwrap();
        let refused = |seed| format!("{:#}", PartFile::open(&out, &robot, seed).err().unwrap());
        let error = refused(5);
        assert!(error.contains("another run (robot, seed 4)"), "{error}");
        // A text without an end of line, one with it, and bytes.
        for foreign in [&b"something else\n"[..], b"my notes", b"\xff\xfe\x00", b"{}\n"] {
            std::fs::write(part_path(&out), foreign).unwrap();
            let error = refused(4);
            assert!(error.contains("robot.npy.part: it is not part of an earlier run"), "{error}");
            assert_eq!(std::fs::read(part_path(&out)).unwrap(), foreign, "left as it was");
        }
        let old =
            "{\"version\":1,\"simulator\":\"robot\",\"seed\":4,\"features\":3,\"block_len\":1}\n";
        std::fs::write(part_path(&out), old).unwrap();
        assert!(refused(4).contains("format version 1"));
    }

    #[test]
    fn an_interrupted_first_line_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("robot.npy");
        let robot = Robot::default();
        PartFile::open(&out, &robot, 4).unwrap();
        let whole = std::fs::read(part_path(&out)).unwrap();
        for length in [0, 10, whole.len() - 1] {
            std::fs::write(part_path(&out), &whole[..length]).unwrap();
            PartFile::open(&out, &robot, 4).unwrap();
            assert_eq!(std::fs::read(part_path(&out)).unwrap(), whole);
        }
    }

    #[test]
    fn a_changed_block_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("robot.npy");
        let robot = Robot::default();
        let x = robot.simulate(2 * robot.block_len(), 4);
        PartFile::open(&out, &robot, 4).unwrap().append(x.as_slice()).unwrap();
        let whole = std::fs::read(part_path(&out)).unwrap();
        let found = PartFile::open(&out, &robot, 4).unwrap().take_outcomes();
        assert_eq!(found, x.as_slice());
        let half = whole.len() / 2;
        for place in [half - 100, half + 100, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            std::fs::write(part_path(&out), changed).unwrap();
            let error = format!("{:#}", PartFile::open(&out, &robot, 4).err().unwrap());
            assert!(error.contains("robot.npy.part: block"), "{error}");
        }
    }
}
