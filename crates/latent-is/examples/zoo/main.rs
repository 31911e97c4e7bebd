//! Repeated runs of the estimators on the problems with known answers.
//!
//! `zoo --out FOLDER [--reps N] [--methods a,b] [--problems x,y]` writes one JSON file a method and problem
//! into `FOLDER/cells`; a cell that is there already, from the same settings, is kept. It prints one
//! line a cell. `cargo xtask zoo` starts this program and makes the tables.

mod methods;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use latent_is::metrics::{Repeated, Repetition};
use latent_is::{LimitState, problems};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use methods::Contender;

/// One method on one problem.
#[derive(Serialize, Deserialize)]
struct Cell {
    method: String,
    problem: String,
    dim: usize,
    pf: f64,
    /// The method's settings: a cell made with others is made again.
    settings: Value,
    /// Wall time of a run when the runs of a cell share the cores.
    seconds: f64,
    summary: Repeated,
    runs: Vec<Repetition>,
}

struct Options {
    out: PathBuf,
    reps: u64,
    methods: Option<Vec<String>>,
    problems: Option<Vec<String>>,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options =
        Options { out: PathBuf::from("results/zoo"), reps: 50, methods: None, problems: None };
    let list = |text: String| Some(text.split(',').map(str::to_owned).collect());
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--out" => options.out = value.into(),
            "--reps" => options.reps = value.parse()?,
            "--methods" => options.methods = list(value),
            "--problems" => options.problems = list(value),
            _ => return Err(format!("no such option: {name}").into()),
        }
    }
    Ok(options)
}

/// The chosen ones in the order of `all`; an unknown name is an error.
fn choose<T>(
    what: &str,
    all: Vec<T>,
    name: impl Fn(&T) -> &str,
    wanted: Option<&Vec<String>>,
) -> Result<Vec<T>, String> {
    let Some(wanted) = wanted else { return Ok(all) };
    if let Some(unknown) = wanted.iter().find(|w| all.iter().all(|t| name(t) != *w)) {
        let names: Vec<&str> = all.iter().map(&name).collect();
        return Err(format!("no such {what}: {unknown}; there are {}", names.join(", ")));
    }
    Ok(all.into_iter().filter(|t| wanted.iter().any(|w| w == name(t))).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let cells = options.out.join("cells");
    fs::create_dir_all(&cells)?;
    let everything: Vec<&problems::Problem> = problems::all().iter().collect();
    let chosen = choose("problem", everything, |p| p.name(), options.problems.as_ref())?;
    for contender in choose("method", methods::all(), |m| m.name, options.methods.as_ref())? {
        for problem in chosen.iter().filter(|p| contender.takes(p)) {
            let path = cells.join(format!("{}.{}.json", contender.name, problem.name()));
            let (cell, how) = match kept(&path, &contender, options.reps) {
                Some(cell) => (cell, "kept"),
                None => (run(&contender, problem, options.reps)?, "made"),
            };
            if how == "made" {
                safe_file::write(&path, serde_json::to_vec(&cell)?)?;
            }
            let s = &cell.summary;
            println!(
                "{:<14} {:<19} {how} bias {:+6.1} % rmse {:6.1} % calls {:7.0} wnv {:9.3e} cover {:5.1} % flagged {:5.1} % hidden {:4.1} % {:.3} s",
                cell.method,
                cell.problem,
                100.0 * s.bias,
                100.0 * s.rmse,
                s.evaluations,
                s.wnv,
                100.0 * s.coverage,
                100.0 * s.flagged,
                100.0 * s.hidden,
                cell.seconds
            );
        }
    }
    Ok(())
}

/// The cell at `path`, if it has the settings and the number of runs.
fn kept(path: &Path, contender: &Contender, reps: u64) -> Option<Cell> {
    let cell: Cell = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (cell.settings == contender.settings() && cell.summary.runs == reps).then_some(cell)
}

fn run(
    contender: &Contender,
    problem: &problems::Problem,
    reps: u64,
) -> Result<Cell, Box<dyn Error>> {
    let started = Instant::now();
    let runs: Vec<Repetition> = (0..reps)
        .into_par_iter()
        .map(|seed| match contender.run(problem, seed) {
            Ok(estimate) => Repetition::from(&estimate),
            Err(error) => {
                eprintln!("{} on {}, seed {seed}: {error}", contender.name, problem.name());
                Repetition::error()
            }
        })
        .collect();
    Ok(Cell {
        method: contender.name.to_owned(),
        problem: problem.name().to_owned(),
        dim: problem.dim(),
        pf: problem.pf(),
        settings: contender.settings(),
        seconds: started.elapsed().as_secs_f64() / reps as f64,
        summary: Repeated::new(&runs, problem.pf())?,
        runs,
    })
}
