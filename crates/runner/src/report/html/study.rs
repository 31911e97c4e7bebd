//! The page of a study.

use std::f64::consts::LN_10;

use latent_is::scientific;
use maud::{Markup, html};

use crate::{
    figures::chart::{Mark, Panel, Series, draw},
    report::{
        html::{model_estimate::page_with, page::picture},
        study::{LevelMass, MASS_TOLERANCE, StudyRecord},
    },
};

/// The page of a study.
///
/// # Errors
/// When a figure cannot be drawn. The record has passed the checks of
/// [`ReportInput`](crate::report::input::ReportInput).
pub fn page_of_study(study: &StudyRecord) -> anyhow::Result<String> {
    let title = format!("Study of {}", study.certified.name);
    let rows = &study.rows;
    let figure = figure(study)?;
    let more = html! {
        h2 { "Rows" }
        p {
            (rows.rows) " weighted rows. The mean of their weights is " (format!("{:.3}", rows.mean_weight)) " ± "
            (format!("{:.3}", rows.standard_error)) " and should be 1."
        }
        h2 { "Levels" }
        p { "All intervals hold together with a confidence of 95 %." }
        (levels(study))
        @if let Some(figure) = &figure { (picture(figure.as_bytes(), "masses of the levels")) }
        @if let Some(flow) = &study.flow {
            h2 { "Flow" }
            p {
                "The flow was trained on " (format!("{:.0}", flow.effective_rows)) " effective rows, tilted towards failure. \
                 Its mass is " (format!("{:.3}", flow.mass)) " and should be 1 ± " (MASS_TOLERANCE) ". "
                @let doubts = study.doubts();
                @if doubts.is_empty() { "Nothing speaks against it at these levels." }
                @else { "It is not to be trusted: " (doubts.join("; ")) "." }
            }
        }
    };
    page_with(&study.certified, &title, &more)
}

/// The masses of the levels.
fn levels(study: &StudyRecord) -> Markup {
    html! {
        table {
            thead { tr {
                th.n { "region" } th.n { "level" } th.n { "by the rows" } th { "interval" }
                @if study.flow.is_some() { th.n { "under the flow" } }
            } }
            tbody { @for level in &study.levels { tr {
                td.n { (level.mode + 1) }
                td.n { (format!("{:.4e}", level.threshold)) }
                td.n { (scientific(level.ln_p, 3)) }
                td { (scientific(level.interval.ln_lower, 3)) " to " (scientific(level.interval.ln_upper, 3)) }
                @if let Some(p) = level.flow { td.n { (scientific(p.ln(), 3)) } }
            } } }
        }
    }
}

/// Probability over level, by the rows and under the flow, for each region; none without two levels.
fn figure(study: &StudyRecord) -> anyhow::Result<Option<String>> {
    let regions = study.levels.iter().map(|level| level.mode + 1).max().unwrap_or(0);
    let panel = |mode: usize| {
        let own: Vec<&LevelMass> = study.levels.iter().filter(|l| l.mode == mode).collect();
        let points = |of: &dyn Fn(&LevelMass) -> Option<f64>| -> Vec<(f64, f64)> {
            let finite = |l: &&LevelMass| {
                of(l).filter(|ln| ln.is_finite()).map(|ln| (l.threshold, ln / LN_10))
            };
            own.iter().filter_map(finite).collect()
        };
        let mut series = vec![Series::new("rows", Mark::Line, points(&|l| Some(l.ln_p)))];
        let flow = points(&|l| l.flow.map(f64::ln));
        if !flow.is_empty() {
            series.push(Series::new("flow", Mark::Discs, flow));
        }
        Panel {
            title: if regions > 1 { format!("region {}", mode + 1) } else { "levels".to_owned() },
            x_label: "level".to_owned(),
            y_label: "log10 of the probability".to_owned(),
            series,
        }
    };
    let panels: Vec<Panel> = (0..regions.min(LARGEST)).map(panel).collect();
    let drawable = panels.iter().any(|panel| panel.series[0].points.len() > 1);
    if drawable { draw(&panels, panels.len().min(2)).map(Some) } else { Ok(None) }
}

/// Most regions that are drawn.
const LARGEST: usize = 6;
