//! `cargo xtask zoo`: the estimators on problems with known answers, compared with other programs.
//!
//! Runs the example `zoo` of latent-is, which writes one file per method and problem (a cell), and makes
//! tables from these files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use comfy_table::Table;
use serde::{Deserialize, Serialize};

use crate::cargo::{cargo, run as run_or_leave};

/// Results of other programs (peers), with their sources.
const PEERS: &str = include_str!("../data/zoo-peers.csv");
/// A method with a smaller work-normalised variance solves the problem exactly, for example directional
/// sampling a sphere. If our method or the peer does, the ratio is left out of the mean.
const EXACT: f64 = 1e-6;

/// Options of the command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Methods, for example `ce,sis-paper` [default: all].
    #[arg(long)]
    methods: Option<String>,
    /// Problems, for example `linear-2,warp-2` [default: all].
    #[arg(long)]
    problems: Option<String>,
    /// Runs per method and problem.
    #[arg(long, default_value_t = 50)]
    reps: u64,
    /// Folder of the cells and the tables. Finished cells in it are reused.
    #[arg(long, default_value = "results/zoo")]
    out: PathBuf,
}

#[derive(Deserialize)]
struct Cell {
    method: String,
    problem: String,
    dim: usize,
    seconds: f64,
    summary: Summary,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Summary {
    runs: u64,
    bias: f64,
    abs_error: f64,
    cov: f64,
    rmse: f64,
    evaluations: f64,
    wnv: f64,
    coverage: f64,
    flagged: f64,
    hidden: f64,
    errors: u64,
    confusion: Confusion,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Confusion {
    good_converged: u64,
    good_other: u64,
    off_converged: u64,
    off_other: u64,
}

/// A cell with the best peer on its problem.
#[derive(Serialize)]
struct Row {
    method: String,
    problem: String,
    dim: usize,
    seconds: f64,
    #[serde(flatten)]
    summary: Summary,
    peer: String,
    peer_wnv: f64,
    /// Our work-normalised variance divided by that of the peer: below 1 if ours is better.
    ratio: f64,
}

/// One method on all its problems.
#[derive(Serialize)]
struct Total {
    method: String,
    problems: usize,
    /// Geometric mean of the ratios, without problems that our method or the peer solves exactly.
    ratio: f64,
    confusion: Confusion,
    coverage: f64,
    hidden: f64,
}

/// Runs the cells and writes `zoo.csv`, `zoo.json` and `zoo.md`.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = root.join(&options.out);
    let build = ["run", "--release", "--package", "latent-is", "--no-default-features"];
    let mut command = cargo(&build);
    command.args(["--example", "zoo", "--", "--out"]).arg(&out);
    command.args(["--reps", &options.reps.to_string()]);
    for (name, list) in [("--methods", &options.methods), ("--problems", &options.problems)] {
        if let Some(list) = list {
            command.args([name, list]);
        }
    }
    run_or_leave(&mut command)?;
    let rows = rows(&out.join("cells"), options)?;
    ensure!(!rows.is_empty(), "no cells in {}", out.display());
    let totals = totals(&rows);
    fs::write(out.join("zoo.csv"), csv(&rows))?;
    let json = serde_json::json!({ "rows": rows, "totals": totals });
    fs::write(out.join("zoo.json"), serde_json::to_string_pretty(&json)?)?;
    let text = markdown(&rows, &totals);
    fs::write(out.join("zoo.md"), &text)?;
    println!("{text}\nwritten to {}", options.out.display());
    Ok(())
}

/// Problem, name and work-normalised variance of the best peer, in the order of the file.
fn peers() -> Vec<(&'static str, &'static str, f64)> {
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
fn rows(cells: &Path, options: &Options) -> anyhow::Result<Vec<Row>> {
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

fn totals(rows: &[Row]) -> Vec<Total> {
    let mut methods: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        methods.entry(&row.method).or_default().push(row);
    }
    let each = |(method, rows): (&str, Vec<&Row>)| {
        let inexact = rows.iter().filter(|r| r.peer_wnv.min(r.summary.wnv) > EXACT);
        let logs: Vec<f64> = inexact.map(|r| r.ratio.ln()).collect();
        let mean = |f: &dyn Fn(&Row) -> f64| {
            rows.iter().map(|row| f(row)).sum::<f64>() / rows.len() as f64
        };
        let sum =
            |f: &dyn Fn(&Confusion) -> u64| rows.iter().map(|r| f(&r.summary.confusion)).sum();
        Total {
            method: method.to_owned(),
            problems: rows.len(),
            ratio: (logs.iter().sum::<f64>() / logs.len() as f64).exp(),
            confusion: Confusion {
                good_converged: sum(&|c| c.good_converged),
                good_other: sum(&|c| c.good_other),
                off_converged: sum(&|c| c.off_converged),
                off_other: sum(&|c| c.off_other),
            },
            coverage: mean(&|row| row.summary.coverage),
            hidden: mean(&|row| row.summary.hidden),
        }
    };
    methods.into_iter().map(each).collect()
}

fn csv(rows: &[Row]) -> String {
    let mut text =
        "method,problem,dim,runs,bias,abs_error,cov,rmse,evaluations,wnv,coverage,flagged,\
                    hidden,errors,seconds,peer,peer_wnv,ratio\n"
            .to_owned();
    for row in rows {
        let s = &row.summary;
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            row.method,
            row.problem,
            row.dim,
            s.runs,
            s.bias,
            s.abs_error,
            s.cov,
            s.rmse,
            s.evaluations,
            s.wnv,
            s.coverage,
            s.flagged,
            s.hidden,
            s.errors,
            row.seconds,
            row.peer,
            row.peer_wnv,
            row.ratio
        );
    }
    text
}

fn markdown(rows: &[Row], totals: &[Total]) -> String {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header([
        "method",
        "problem",
        "bias %",
        "|error| %",
        "CoV %",
        "RMSE %",
        "evaluations",
        "WNV",
        "covered %",
        "flagged %",
        "hidden %",
        "ms",
        "best peer",
        "its WNV",
        "ratio",
    ]);
    for row in rows {
        let s = &row.summary;
        table.add_row([
            row.method.clone(),
            row.problem.clone(),
            format!("{:+.1}", 100.0 * s.bias),
            percent(s.abs_error),
            percent(s.cov),
            percent(s.rmse),
            format!("{:.0}", s.evaluations),
            format!("{:.3e}", s.wnv),
            percent(s.coverage),
            percent(s.flagged),
            percent(s.hidden),
            format!("{:.0}", 1e3 * row.seconds),
            row.peer.clone(),
            format!("{:.3e}", row.peer_wnv),
            format!("{:.3}", row.ratio),
        ]);
    }
    let mut sums = Table::new();
    sums.load_style(comfy_table::presets::ASCII_MARKDOWN);
    sums.set_header([
        "method",
        "problems",
        "ratio (geometric mean)",
        "covered %",
        "hidden %",
        "good, converged",
        "good, not",
        "off, converged",
        "off, not",
    ]);
    for total in totals {
        let c = &total.confusion;
        sums.add_row([
            total.method.clone(),
            total.problems.to_string(),
            format!("{:.3}", total.ratio),
            percent(total.coverage),
            percent(total.hidden),
            c.good_converged.to_string(),
            c.good_other.to_string(),
            c.off_converged.to_string(),
            c.off_other.to_string(),
        ]);
    }
    format!(
        "# Estimators on problems with known answers\n\n{} runs per cell. WNV: evaluations times squared \
         relative RMSE. Ratio: our WNV divided by that of the best measured peer, below 1 if ours is better; \
         problems that our method or the peer solves exactly are left out of the mean. Off: relative error \
         above one half. Hidden: off without a warning.\n\n{sums}\n\n{table}\n",
        rows.first().map_or(0, |r| r.summary.runs)
    )
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

    #[test]
    fn ratios_are_averaged_as_logarithms_without_exact_solutions() {
        let row = |wnv: f64, peer_wnv: f64| Row {
            method: "ce".to_owned(),
            problem: String::new(),
            dim: 2,
            seconds: 0.0,
            summary: Summary {
                runs: 1,
                bias: 0.0,
                abs_error: 0.0,
                cov: 0.0,
                rmse: 0.0,
                evaluations: 1.0,
                wnv,
                coverage: 0.5,
                flagged: 0.0,
                hidden: 0.0,
                errors: 0,
                confusion: Confusion { good_converged: 1, ..Confusion::default() },
            },
            peer: String::new(),
            peer_wnv,
            ratio: wnv / peer_wnv,
        };
        let totals = totals(&[row(4.0, 1.0), row(0.5, 2.0), row(1e3, 1e-26), row(1e-23, 43.0)]);
        assert!((totals[0].ratio - 1.0).abs() < 1e-12);
        assert_eq!((totals[0].problems, totals[0].confusion.good_converged), (4, 4));
    }
}
