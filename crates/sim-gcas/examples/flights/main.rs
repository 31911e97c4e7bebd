//! Draws one recovery and one failure: `cargo run --release -p sim-gcas --example flights`.
//!
//! The flights are the first safe outcome and the first too low outcome of seed 0, simulated on to six
//! seconds. Writes `docs/flights.svg` of this crate, or the file named as the first argument; the front
//! page of the crate and the book show the picture.

mod chart;

use chart::{Chart, Curve, Panel};
use sim_core::Simulator;
use sim_gcas::{Criterion, Gcas, GcasParams, History, REFERENCE_MEAN, REFERENCE_SD, Record, index};

const BLUE: &str = "#0b5fa5";
const ORANGE: &str = "#c4570c";
/// Position of altitude among the features.
const ALTITUDE: usize = 10;

/// The first outcomes of seed 0 that are safe and that are too low.
fn examples(gcas: &Gcas) -> Option<[u64; 2]> {
    let outcomes = gcas.simulate(4096, 0);
    let limit = |x: &[f64]| Criterion::Thresholds.limit(x);
    let first = |wanted: &dyn Fn(&[f64]) -> bool| {
        outcomes.column_iter().position(|x| wanted(x.as_slice())).map(|i| i as u64)
    };
    let low = |x: &[f64]| limit(x) <= 0.0 && x[ALTITUDE] < 0.0;
    Some([first(&|x| limit(x) > 0.0)?, first(&low)?])
}

fn curve<'a>(
    history: &History,
    label: &'a str,
    color: &'a str,
    y: impl Fn(&Record) -> f64,
) -> Curve<'a> {
    Curve { label, color, points: history.records.iter().map(|r| (r.time, y(r))).collect() }
}

fn column(title: &str, history: &History) -> [Panel<'static>; 3] {
    let degrees = |i: usize| move |r: &Record| r.state[i].to_degrees();
    [
        Panel {
            title: title.to_string(),
            label: "altitude, ft",
            range: (-400.0, 1000.0),
            step: 200.0,
            curves: vec![curve(history, "", BLUE, |r| r.state[index::ALTITUDE])],
        },
        Panel {
            title: String::new(),
            label: "attitude, degrees",
            range: (-50.0, 40.0),
            step: 10.0,
            curves: vec![
                curve(history, "pitch", BLUE, degrees(index::THETA)),
                curve(history, "roll", ORANGE, degrees(index::PHI)),
            ],
        },
        Panel {
            title: String::new(),
            label: "load above 1 g",
            range: (-2.0, 6.0),
            step: 1.0,
            curves: vec![
                curve(history, "load", BLUE, |r| r.load),
                curve(history, "command", ORANGE, |r| r.command[0]),
            ],
        },
    ]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [recovery, failure] = examples(&Gcas::default()).ok_or("no failure among 4096 flights")?;
    let longer = Gcas::new(GcasParams { steps: 3000, ..GcasParams::default() })?;
    let limit = REFERENCE_MEAN[ALTITUDE] - 2.45 * REFERENCE_SD[ALTITUDE];
    let panels = [("recovery", recovery), ("failure", failure)]
        .map(|(name, i)| column(&format!("{name} (seed 0, flight {i})"), &longer.rollout(0, i)));
    let chart = Chart { seconds: 6.0, judged: 3.0, limit, columns: panels };

    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let default = manifest.join("docs/flights.svg");
    let path = std::env::args_os().nth(1).map_or(default, Into::into);
    safe_file::write(&path, chart.svg())?;
    println!("recovery {recovery}, failure {failure}: {}", path.display());
    Ok(())
}
