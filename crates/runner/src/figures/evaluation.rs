//! Figures that need the results of an evaluation and nothing else.

use super::{Mark, Panel, Series, draw};
use crate::reproduce::{Event, Method, Preset, Results, RowKey, Space, Trial};

/// Names of the rows in a figure: as short as they can be.
fn name(key: RowKey) -> String {
    format!("{} {}", key.method, key.preset)
}

/// How the levels of the searches converge, one panel a space and method; each line is a trial.
///
/// # Errors
/// When there is nothing to draw.
pub fn levels(results: &Results) -> anyhow::Result<String> {
    let mut panels: Vec<(Space, Method, Panel)> = Vec::new();
    for record in &results.trials {
        let RowKey { space, method, preset, event } = record.key;
        // The paper searches on the surrogate in latent space: its levels are those of that row.
        let searched =
            space == Space::Target || (event == Event::Surrogate) == (preset == Preset::Paper);
        if !searched || record.outcome.levels.is_empty() {
            continue;
        }
        let known = panels.iter().position(|(s, m, _)| (*s, *m) == (space, method));
        let place = known.unwrap_or(panels.len());
        if known.is_none() {
            let y_label = match method {
                Method::Sis => "width σ of the smoothed indicator",
                Method::Ce | Method::Ice | Method::Adaptive => "threshold γ of g",
            };
            let panel = Panel {
                title: format!("{}: levels of {space}-{method}", results.system),
                x_label: "evaluations".to_owned(),
                y_label: y_label.to_owned(),
                series: Vec::new(),
            };
            panels.push((space, method, panel));
        }
        let points = record.outcome.levels.iter();
        let points = points.map(|level| (level.evaluations as f64, level.threshold)).collect();
        panels[place].2.series.push(Series::new(preset.to_string(), Mark::Line, points));
    }
    draw(&panels.into_iter().map(|(_, _, panel)| panel).collect::<Vec<_>>(), 2)
}

/// Coverage and density of the failures found against evaluations; each disc is a trial.
///
/// # Errors
/// When there is nothing to draw.
pub fn fidelity(results: &Results) -> anyhow::Result<String> {
    let panel = |space: Space, what: &str, value: fn(&Trial) -> f64| {
        let mut series: Vec<Series> = Vec::new();
        let shown = |key: RowKey| key.event == Event::True && key.space == space;
        for record in results.trials.iter().filter(|record| shown(record.key)) {
            let point = (record.outcome.evaluations as f64, value(&record.outcome));
            let name = name(record.key);
            match series.iter_mut().find(|series| series.name == name) {
                Some(series) => series.points.push(point),
                None => series.push(Series::new(name, Mark::Discs, vec![point])),
            }
        }
        Panel {
            title: format!("{}: {what} of failures found in {space} space", results.system),
            x_label: "evaluations".to_owned(),
            y_label: what.to_owned(),
            series,
        }
    };
    let mut panels = Vec::new();
    for space in [Space::Latent, Space::Target] {
        panels.push(panel(space, "coverage", |t| t.coverage));
        panels.push(panel(space, "density", |t| t.density));
    }
    panels.retain(|panel| !panel.series.is_empty());
    draw(&panels, 2)
}
