//! Simulations with progress. With a part file they resume after an interruption.

pub mod part_file;

use std::time::{Duration, Instant};

use nalgebra::DMatrix;
use sim_core::Simulator;

use crate::{
    outcomes::shape::TableShape, output::progress::TaskProgress, simulation::part_file::PartFile,
};

/// Intended time between two writes to a part file.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// Simulates the first `n` outcomes of the sequence of `seed`.
///
/// With a part file, outcomes in it are not simulated again and complete blocks are appended to it.
/// The caller removes it when the result is saved.
///
/// # Shapes
/// - returns `[d, n]`; an outcome that the simulator could not finish is NaN in all features
///
/// # Errors
/// When the outcomes do not fit in the memory of this machine, or the part file cannot be written.
pub fn simulate(
    simulator: &dyn Simulator,
    n: usize,
    seed: u64,
    label: &str,
    mut part: Option<PartFile>,
) -> anyhow::Result<DMatrix<f64>> {
    let (d, block_len) = (simulator.dim(), simulator.block_len());
    let shape = TableShape::in_memory(n, d)?;
    let mut x = part.as_mut().map(PartFile::take_outcomes).unwrap_or_default();
    let progress = TaskProgress::start(label, n as u64);
    if !x.is_empty() {
        progress.print_line(&format!("{} outcomes were simulated before", x.len() / d));
        progress.advance((x.len() / d).min(n) as u64);
    }
    // Without a file there is nothing to write in between.
    let mut blocks =
        if part.is_some() { 2 * rayon::current_num_threads() } else { n.div_ceil(block_len) };
    while x.len() < shape.len() {
        let done = x.len() / d;
        let (begin, more) = (Instant::now(), (blocks * block_len).min(n - done));
        let first = (done / block_len) as u64;
        let finished = |outcomes| progress.advance(outcomes as u64);
        let fresh = simulator.simulate_from_block(first, more, seed, &finished);
        if let Some(part) = &mut part {
            part.append(fresh.as_slice())?;
        }
        if begin.elapsed() < WRITE_INTERVAL / 2 {
            blocks *= 2;
        }
        if x.is_empty() {
            x = fresh.data.into();
        } else {
            x.extend_from_slice(fresh.as_slice());
        }
    }
    progress.finish();
    x.truncate(shape.len());
    shape.matrix(x)
}

/// Number of outcomes that the simulator could not finish.
pub fn unfinished(x: &DMatrix<f64>) -> usize {
    x.column_iter().filter(|outcome| outcome.iter().any(|v| v.is_nan())).count()
}

/// Refuses outcomes that the simulator could not finish.
///
/// # Errors
/// Names the first of them.
pub fn require_finished(x: DMatrix<f64>) -> anyhow::Result<DMatrix<f64>> {
    if let Some(bad) = x.column_iter().position(|outcome| outcome.iter().any(|v| v.is_nan())) {
        anyhow::bail!("the simulator could not finish outcome {bad}");
    }
    Ok(x)
}

#[cfg(test)]
mod tests {
    use sim_toy::Robot;

    use super::*;
    use crate::simulation::part_file::{checksum, part_path};

    #[test]
    fn an_interrupted_run_resumes_after_its_last_complete_block() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("robot.npy");
        let robot = Robot::default();
        let simulated = |n: usize| {
            let part = PartFile::open(&out, &robot, 4).unwrap();
            simulate(&robot, n, 4, "test", Some(part)).unwrap()
        };
        let expected = robot.simulate(3_000, 4);
        assert_eq!(simulate(&robot, 3_000, 4, "test", None).unwrap(), expected);
        assert_eq!(simulated(1_000), expected.columns(0, 1_000));

        // The file as an interrupted run leaves it: some blocks and a piece of one. A mark in the
        // first outcome shows that finished blocks are not simulated again.
        let mut part = std::fs::read(part_path(&out)).unwrap();
        let data = part.iter().position(|b| *b == b'\n').unwrap() + 1;
        let line = String::from_utf8(part[..data].to_vec()).unwrap();
        let numbers = data..data + 24 * robot.block_len();
        part[data..data + 8].copy_from_slice(&123.0_f64.to_le_bytes());
        let mark = checksum(&line, 0, &part[numbers.clone()]);
        part[numbers.end..numbers.end + 16].copy_from_slice(mark.as_bytes());
        part.truncate(data + 2 * (24 * robot.block_len() + 16) + 100);
        std::fs::write(part_path(&out), part).unwrap();

        let mut resumed = simulated(3_000);
        assert!((resumed[(0, 0)] - 123.0).abs() < f64::EPSILON);
        resumed[(0, 0)] = expected[(0, 0)];
        assert_eq!(resumed, expected);
    }
}
