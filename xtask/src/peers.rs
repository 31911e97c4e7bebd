//! `cargo xtask peers`: our programs and other programs (peers) on the same work and machine, one after
//! the other.
//!
//! A group is a pair: `benches/peers/GROUP.py` with its requirements `GROUP.txt`, and our program
//! `benches/src/bin/peer_GROUP.rs`. Both print one JSON line per case,
//! `{"case": …, "value": …, "unit": "s" | "1/s", "note": …}`; the note is optional. A script without
//! requirements is not a group; it is run by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use comfy_table::Table;
use serde::{Deserialize, Serialize};

use crate::cargo::{cargo, run as run_or_leave};

/// Options of the command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this group, for example `mvee`. Results of the other groups are kept.
    #[arg(long)]
    only: Option<String>,
    /// Number of threads that each program may use.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Device that computes the flows: `wgpu` for the GPU. nflows then uses the same GPU through CUDA.
    #[arg(long, requires = "only")]
    device: Option<String>,
}

/// One line of output of a program.
#[derive(Deserialize)]
struct Line {
    case: String,
    value: f64,
    unit: String,
    #[serde(default)]
    note: String,
}

/// One comparison. `ratio` is larger than 1 if our program is better.
#[derive(Clone, Serialize, Deserialize)]
struct Comparison {
    group: String,
    case: String,
    ours: f64,
    peer: f64,
    unit: String,
    ratio: f64,
}

/// Runs the groups, prints one table per group and writes `target/peers/peers.json`.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = root.join("target/peers");
    fs::create_dir_all(&target)?;
    let all = groups(&root.join("benches/peers"))?;
    let chosen: Vec<&String> =
        all.iter().filter(|g| options.only.as_ref().is_none_or(|only| only == *g)).collect();
    ensure!(!chosen.is_empty(), "there is no such group; the groups are: {}", all.join(", "));

    let record = target.join("peers.json");
    let mut results: Vec<Comparison> = match fs::read_to_string(&record) {
        Ok(text) => serde_json::from_str(&text).with_context(|| {
            format!("{} was not written by this command; remove it", record.display())
        })?,
        Err(_) => Vec::new(),
    };
    for group in chosen {
        let fresh = compare(&root, &target, group, options)?;
        results.retain(|r| r.group != *group && all.contains(&r.group));
        results.extend(fresh);
        safe_file::write(&record, serde_json::to_string_pretty(&results)?)?;
    }
    println!("results written to target/peers/peers.json");
    Ok(())
}

/// Sorted names of the groups in the folder: scripts with a file of requirements.
fn groups(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "py") && path.with_extension("txt").exists() {
            names.extend(path.file_stem().map(|s| s.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn compare(
    root: &Path,
    target: &Path,
    group: &str,
    options: &Options,
) -> anyhow::Result<Vec<Comparison>> {
    let binary = format!("peer_{group}");
    let mut program = vec!["--release", "--package", "benches", "--bin", &binary];
    if options.device.as_deref() == Some("wgpu") {
        program.extend(["--features", "wgpu"]);
    }
    run_or_leave(cargo(&["build"]).args(&program))?;
    let python = environment(root, target, group)?;

    eprintln!("{group}: ours");
    let ours = lines(cargo(&["run", "--quiet"]).args(&program), options)?;
    eprintln!("{group}: peer");
    let script = root.join(format!("benches/peers/{group}.py"));
    let peer = lines(Command::new(python).arg(script), options)?;

    let mut peer: BTreeMap<String, Line> = peer.into_iter().map(|l| (l.case.clone(), l)).collect();
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["case", "ours", "peer", "ratio", "note (ours)", "note (peer)"]);
    let mut results = Vec::new();
    for our in ours {
        let Some(peer) = peer.remove(&our.case) else {
            eprintln!("warning: {group}: the peer has no case {:?}", our.case);
            continue;
        };
        ensure!(our.unit == peer.unit, "{group}, {}: {} against {}", our.case, our.unit, peer.unit);
        let ratio = match our.unit.as_str() {
            "s" => peer.value / our.value,
            "1/s" => our.value / peer.value,
            other => bail!("{group}, {}: unit {other:?} is neither s nor 1/s", our.case),
        };
        ensure!(ratio.is_finite() && ratio > 0.0, "{group}, {}: ratio {ratio}", our.case);
        let show = |value: f64| format!("{value:.3e} {}", our.unit);
        table.add_row([
            our.case.clone(),
            show(our.value),
            show(peer.value),
            format!("{ratio:.3}"),
            our.note,
            peer.note,
        ]);
        let (group, case, unit) = (group.to_owned(), our.case, our.unit);
        results.push(Comparison { group, case, ours: our.value, peer: peer.value, unit, ratio });
    }
    for case in peer.keys() {
        eprintln!("warning: {group}: we have no case {case:?}");
    }
    println!("{group} (threads: {}; ratio > 1: our program is better)\n{table}", options.threads);
    Ok(results)
}

/// The Python interpreter in the virtual environment of the group. The environment is created if it is
/// missing or the requirements have changed.
fn environment(root: &Path, target: &Path, group: &str) -> anyhow::Result<PathBuf> {
    let folder = target.join(format!("venv-{group}"));
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let requirements = root.join(format!("benches/peers/{group}.txt"));
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("requirements of {group}: {}", requirements.display()))?;
    let installed = folder.join("installed.txt");
    if python.exists() && fs::read_to_string(&installed).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    eprintln!("{group}: creating a Python environment in {}", folder.display());
    let host = if cfg!(windows) { "python" } else { "python3" };
    run_or_leave(Command::new(host).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run_or_leave(Command::new(&python).args(install).arg(&requirements))?;
    safe_file::write(&installed, wanted)?;
    Ok(python)
}

/// Parses the output lines of a command. Lines that are not JSON objects are printed.
fn lines(command: &mut Command, options: &Options) -> anyhow::Result<Vec<Line>> {
    for variable in
        ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]
    {
        command.env(variable, options.threads.to_string());
    }
    command.envs(options.device.iter().map(|device| ("PEER_DEVICE", device)));
    let shown = format!("{command:?}");
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run {shown}"))?;
    ensure!(output.status.success(), "{shown}: {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with('{') {
            let parsed = serde_json::from_str(line);
            lines.push(parsed.with_context(|| format!("not a case: {line}"))?);
        } else {
            eprintln!("{line}");
        }
    }
    Ok(lines)
}
