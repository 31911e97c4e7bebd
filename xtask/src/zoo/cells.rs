//! The cells: the results of one method on one problem, with the best peer.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::zoo::options::Options;

/// Results of other programs (peers), with their sources.
pub(super) const PEERS: &str = include_str!("../../data/zoo-peers.csv");

/// The results of one method on one problem, as the example `zoo` writes them.
#[derive(Deserialize)]
pub(super) struct Cell {
    pub(super) method: String,
    pub(super) problem: String,
    pub(super) dim: usize,
    pub(super) seconds: f64,
    pub(super) summary: Summary,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Summary {
    pub(super) runs: u64,
    pub(super) bias: f64,
    pub(super) abs_error: f64,
    pub(super) cov: f64,
    pub(super) rmse: f64,
    pub(super) evaluations: f64,
    pub(super) wnv: f64,
    pub(super) coverage: f64,
    pub(super) flagged: f64,
    pub(super) hidden: f64,
    pub(super) errors: u64,
    pub(super) confusion: Confusion,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Confusion {
    pub(super) good_converged: u64,
    pub(super) good_other: u64,
    pub(super) off_converged: u64,
    pub(super) off_other: u64,
}

/// A cell with the best peer on its problem.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) method: String,
    pub(super) problem: String,
    pub(super) dim: usize,
    pub(super) seconds: f64,
    #[serde(flatten)]
    pub(super) summary: Summary,
    pub(super) peer: String,
    pub(super) peer_wnv: f64,
    /// Our work-normalised variance divided by that of the peer: below 1 if ours is better.
    pub(super) ratio: f64,
}

/// Problem, name and work-normalised variance of the best peer, in the order of the file.
pub(super) fn peers() -> Vec<(&'static str, &'static str, f64)> {
    let lines = PEERS.lines().filter(|l| !l.starts_with('#')).skip(1);
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let wnv = fields[5].parse().expect("the file's sixth column is a number");
            (fields[0], fields[1], wnv)
        })
        .collect()
}

/// The selected cells, sorted by method and then in the order of the problems.
pub(super) fn rows(cells: &Path, options: &Options) -> anyhow::Result<Vec<Row>> {
    let wanted = |list: &Option<String>, name: &str| {
        list.as_ref().is_none_or(|list| list.split(',').any(|wanted| wanted == name))
    };
    let peers = peers();
    let mut rows: Vec<Row> = Vec::new();
    for entry in fs::read_dir(cells).with_context(|| format!("{}", cells.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let cell: Cell = serde_json::from_slice(&fs::read(&path)?).with_context(|| {
            format!("{} is not the result of a method on a problem; remove it", path.display())
        })?;
        let asked = wanted(&options.methods, &cell.method)
            && wanted(&options.problems, &cell.problem)
            && cell.summary.runs == options.reps;
        let peer = peers.iter().find(|(problem, ..)| *problem == cell.problem);
        if let (true, Some((_, peer, peer_wnv))) = (asked, peer) {
            rows.push(Row {
                ratio: cell.summary.wnv / peer_wnv,
                method: cell.method,
                problem: cell.problem,
                dim: cell.dim,
                seconds: cell.seconds,
                summary: cell.summary,
                peer: (*peer).to_owned(),
                peer_wnv: *peer_wnv,
            });
        }
    }
    let place = |name: &str| peers.iter().position(|(problem, ..)| *problem == name);
    rows.sort_by(|a, b| (&a.method, place(&a.problem)).cmp(&(&b.method, place(&b.problem))));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_a_peer() {
        let peers = peers();
        assert_eq!(peers.len(), 21);
        assert!(peers.iter().all(|(_, _, wnv)| *wnv > 0.0));
    }
}
