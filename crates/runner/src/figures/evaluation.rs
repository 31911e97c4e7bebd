//! Figures of the results of an evaluation.

use crate::{
    estimation::method::{MethodKind, Space},
    figures::chart::{Mark, Panel, Series, draw},
    reproduce::{
        key::{Event, Preset, RowKey},
        results::Results,
        trial::Trial,
    },
};

/// Short name of a row for the legend.
fn name(key: RowKey) -> String {
    format!("{} {}", key.method, key.preset)
}

/// The levels of the searches, one panel per space and estimator, one line per trial.
///
/// # Errors
/// When there is nothing to draw.
pub fn levels(results: &Results) -> anyhow::Result<String> {
    let mut panels: Vec<(Space, MethodKind, Panel)> = Vec::new();
    for record in &results.trials {
        let RowKey { space, method, preset, event } = record.key;
        // In latent space the preset `paper` searches on the surrogate event, the default one on the true
        // event.
        let searched =
            space == Space::Target || (event == Event::Surrogate) == (preset == Preset::Paper);
        if !searched || record.outcome.levels.is_empty() {
            continue;
        }
        let known = panels.iter().position(|(s, m, _)| (*s, *m) == (space, method));
        let place = known.unwrap_or(panels.len());
        if known.is_none() {
            let y_label = match method {
                MethodKind::Sis => "width σ of the smoothed indicator",
                MethodKind::Ce | MethodKind::Ice | MethodKind::Adaptive => "threshold γ of g",
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

/// Coverage and density of the failures found, over the number of evaluations; one disc per trial.
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
