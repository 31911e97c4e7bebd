//! The finished blocks of a simulation, in a file next to the result.
//!
//! `FILE.part` contains one line of JSON that says what is simulated, then the outcomes as
//! little-endian `f64`, one outcome after the other.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sim_core::Simulator;

use crate::systems::system::System;

/// The first line of a part file. A run resumes only from a file with the same first line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct PartHeader {
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
    /// When the file cannot be read or written, or belongs to another simulation.
    pub fn open(out: &Path, simulator: &dyn Simulator, seed: u64) -> anyhow::Result<Self> {
        let path = part_path(out);
        let header = PartHeader {
            version: 1,
            simulator: simulator.name().to_owned(),
            seed,
            features: simulator.dim(),
            block_len: simulator.block_len(),
        };
        let (file, outcomes) =
            open(&path, &header).with_context(|| format!("cannot use {}", path.display()))?;
        Ok(Self { path, file, outcomes })
    }

    /// The outcomes of the complete blocks that were in the file, `n * d` numbers.
    pub(super) fn take_outcomes(&mut self) -> Vec<f64> {
        std::mem::take(&mut self.outcomes)
    }

    /// Appends finished outcomes, `n * d` numbers.
    pub(super) fn append(&mut self, outcomes: &[f64]) -> anyhow::Result<()> {
        let bytes: Vec<u8> = outcomes.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.file.write_all(&bytes).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn open(path: &Path, header: &PartHeader) -> anyhow::Result<(File, Vec<f64>)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let mut reader = BufReader::new(&file);
    let mut line = String::new();
    // A first line without its end: the program was interrupted while it wrote the line.
    if reader.read_line(&mut line).is_err() || !line.ends_with('\n') {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all((serde_json::to_string(header)? + "\n").as_bytes())?;
        return Ok((file, Vec::new()));
    }
    let mut found: PartHeader = serde_json::from_str(&line)
        .context("it is not part of an earlier run; remove it or choose another name")?;
    // Earlier versions wrote the names that are aliases now.
    if let Ok(system) = System::by_name(&found.simulator) {
        system.name.clone_into(&mut found.simulator);
    }
    anyhow::ensure!(
        found == *header,
        "it belongs to another run ({}, seed {}); remove it or choose another name",
        found.simulator,
        found.seed
    );
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    let block = 8 * header.features * header.block_len;
    bytes.truncate(bytes.len() / block * block);
    let end = (line.len() + bytes.len()) as u64;
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    let outcomes = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    Ok((file, outcomes))
}

#[cfg(test)]
mod tests {
    use sim_toy::Robot;

    use super::*;

    #[test]
    fn the_part_file_of_another_run_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("robot.npy");
        let robot = Robot::default();
        PartFile::open(&out, &robot, 4).unwrap();
        let refused = |seed| format!("{:#}", PartFile::open(&out, &robot, seed).err().unwrap());
        let error = refused(5);
        assert!(error.contains("another run (robot, seed 4)"), "{error}");
        std::fs::write(part_path(&out), "something else\n").unwrap();
        let error = refused(4);
        assert!(error.contains("not part of an earlier run"), "{error}");
    }
}
