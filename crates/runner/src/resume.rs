//! Long simulations that survive an interruption.
//!
//! Finished blocks are appended to a file beside the result, `FILE.part`: one line of JSON that says
//! what is simulated, then the outcomes as little-endian `f64`. A run that finds such a file takes up
//! after its last whole block.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};
use sim_core::Simulator;

use crate::{progress::Progress, simulators::present_name};

/// How long a stretch between two writes should take.
const STRETCH: Duration = Duration::from_secs(1);

/// The first line of a part file: runs continue only what they would have begun.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    version: u32,
    simulator: String,
    seed: u64,
    features: usize,
    block_len: usize,
}

/// The part file of `out`.
pub fn part_path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Simulates the first `n` outcomes of the sequence of `seed`, keeping finished blocks in the part
/// file of `out`; the caller removes it when the result is safe.
///
/// # Shapes
/// - returns `[d, n]`
///
/// # Errors
/// When the part file cannot be read or written, or belongs to another simulation.
pub fn simulate(
    simulator: &dyn Simulator,
    n: usize,
    seed: u64,
    out: &Path,
) -> anyhow::Result<DMatrix<f64>> {
    let path = part_path(out);
    let (d, block_len) = (simulator.dim(), simulator.block_len());
    let header =
        Header { version: 1, simulator: simulator.name().to_owned(), seed, features: d, block_len };
    let named = || format!("cannot use {}", path.display());
    let (mut file, mut x) = open(&path, &header).with_context(named)?;
    let progress = Progress::start(format!("simulating {}", simulator.name()), n as u64);
    if !x.is_empty() {
        progress.line(&format!("{} outcomes were there already", x.len() / d));
        progress.advance((x.len() / d).min(n) as u64);
    }
    let mut blocks = 2 * rayon::current_num_threads();
    while x.len() < n * d {
        let done = x.len() / d;
        let (begin, more) = (Instant::now(), (blocks * block_len).min(n - done));
        let told = |outcomes| progress.advance(outcomes as u64);
        let first = (done / block_len) as u64;
        let fresh = simulator.simulate_from_block(first, more, seed, &told);
        let bytes: Vec<u8> = fresh.iter().flat_map(|v| v.to_le_bytes()).collect();
        file.write_all(&bytes).with_context(named)?;
        x.extend_from_slice(fresh.as_slice());
        if begin.elapsed() < STRETCH / 2 {
            blocks *= 2;
        }
    }
    progress.finish();
    x.truncate(n * d);
    Ok(DMatrix::from_vec(d, n, x))
}

/// Opens or makes a part file; returns it at its end, with the outcomes of its whole blocks.
fn open(path: &Path, header: &Header) -> anyhow::Result<(File, Vec<f64>)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let mut reader = BufReader::new(&file);
    let mut line = String::new();
    // A line without its end was cut short while it was written.
    if reader.read_line(&mut line).is_err() || !line.ends_with('\n') {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all((serde_json::to_string(header)? + "\n").as_bytes())?;
        return Ok((file, Vec::new()));
    }
    let mut found: Header = serde_json::from_str(&line)
        .context("it is no part of an earlier run; remove it or choose another name")?;
    found.simulator = present_name(&found.simulator).to_owned();
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
    let x = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    Ok((file, x))
}

#[cfg(test)]
mod tests {
    use sim_toy::Robot;

    use super::*;

    #[test]
    fn an_interrupted_run_goes_on_after_its_last_whole_block() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("robot.npy");
        let robot = Robot::default();
        let expected = robot.simulate(3_000, 4);
        assert_eq!(simulate(&robot, 1_000, 4, &out).unwrap(), expected.columns(0, 1_000));

        // The file as a killed run leaves it: some blocks and a piece of one. A mark in the first
        // outcome shows that finished blocks are not simulated again.
        let mut part = std::fs::read(part_path(&out)).unwrap();
        let data = part.iter().position(|b| *b == b'\n').unwrap() + 1;
        part[data..data + 8].copy_from_slice(&123.0_f64.to_le_bytes());
        part.truncate(data + 24 * 2 * robot.block_len() + 100);
        std::fs::write(part_path(&out), part).unwrap();

        let mut resumed = simulate(&robot, 3_000, 4, &out).unwrap();
        assert!((resumed[(0, 0)] - 123.0).abs() < f64::EPSILON);
        resumed[(0, 0)] = expected[(0, 0)];
        assert_eq!(resumed, expected);
    }

    #[test]
    fn the_part_of_another_run_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("robot.npy");
        simulate(&Robot::default(), 10, 4, &out).unwrap();
        let error = format!("{:#}", simulate(&Robot::default(), 10, 5, &out).unwrap_err());
        assert!(error.contains("another run (robot, seed 4)"), "{error}");
        std::fs::write(part_path(&out), "something else\n").unwrap();
        let error = format!("{:#}", simulate(&Robot::default(), 10, 4, &out).unwrap_err());
        assert!(error.contains("no part of an earlier run"), "{error}");
    }
}
