//! Draws the coverage of the default latent searches over their evaluations, from the results of evaluations with
//! different budgets:
//!
//! ```sh
//! cargo run --release -p latent-is-runner --example coverage -- small/f16/results.json large/f16/results.json > coverage.svg
//! ```

use std::collections::BTreeMap;

use latent_is_runner::{
    estimation::method::Space,
    figures::chart::{Mark, Panel, Series, draw},
    reproduce::{
        key::{Event, Preset},
        results::Results,
    },
};

fn main() -> anyhow::Result<()> {
    let mut lines: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let mut system = String::new();
    for path in std::env::args().skip(1) {
        let results: Results = serde_json::from_slice(&std::fs::read(path)?)?;
        let rows = results.rows.iter().filter(|row| {
            (row.space, row.preset, row.event) == (Space::Latent, Preset::Default, Event::True)
        });
        for row in rows {
            let point = (row.evaluations_mean, row.coverage_mean);
            lines.entry(row.method.to_string()).or_default().push(point);
        }
        system = results.system;
    }
    let mut series = Vec::new();
    for (method, mut points) in lines {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        series.push(Series::new(method.clone(), Mark::Discs, points.clone()));
        series.push(Series::new(method, Mark::Line, points));
    }
    let panel = Panel {
        title: format!("{system}: coverage of simulated failures, latent space"),
        x_label: "evaluations, mean of the trials".to_owned(),
        y_label: "coverage".to_owned(),
        series,
    };
    println!("{}", draw(&[panel], 1)?);
    Ok(())
}
