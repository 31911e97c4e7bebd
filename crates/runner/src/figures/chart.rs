//! Charts of points and lines in a grid, as SVG.

use std::{collections::BTreeSet, ops::Range};

use plotters::{
    coord::Shift,
    prelude::*,
    style::{RGBAColor, RGBColor},
};

/// Size of a panel in pixels.
const PANEL: (u32, u32) = (460, 380);
/// Share of the range left free on each side.
const MARGIN: f64 = 0.05;
/// Share of the height left free for each entry of the legend.
const LEGEND: f64 = 0.06;
/// Larger numbers stand for infinity.
const LARGEST: f64 = 1e100;
/// Smallest margin of a range, relative to its numbers,
const NARROWEST: f64 = 1e-9;
/// and at all.
const SMALLEST: f64 = 1e-100;
/// Largest number of characters in the label of a tick.
const DIGITS: usize = 7;

/// Colours that colour-blind readers can distinguish: Okabe and Ito, *Color Universal Design*, 2008.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Small dots, for clouds.
    Dots,
    /// Discs, for few points.
    Discs,
    /// A line through the points.
    Line,
}

/// A named set of points.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend; series with the same name share an entry and a colour.
    pub name: String,
    /// How it is drawn.
    pub mark: Mark,
    /// Whether it is drawn in pale grey.
    pub background: bool,
    /// The points; infinite and NaN coordinates are not drawn.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// A series in its own colour.
    pub fn new(name: impl Into<String>, mark: Mark, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), mark, background: false, points }
    }

    /// The same series in pale grey.
    #[must_use]
    pub fn behind(self) -> Self {
        Self { background: true, ..self }
    }

    fn finite(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        // An infinite width may be stored as the largest finite number.
        let fits = |v: f64| v.abs() < LARGEST;
        self.points.iter().copied().filter(move |(x, y)| fits(*x) && fits(*y))
    }
}

/// A chart with its axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Title above the chart.
    pub title: String,
    /// Label below the chart.
    pub x_label: String,
    /// Label to the left of the chart.
    pub y_label: String,
    /// The series, from back to front.
    pub series: Vec<Series>,
}

/// Draws panels in rows of `columns` as one SVG.
///
/// # Errors
/// When there is nothing to draw or a chart cannot be laid out.
pub fn draw(panels: &[Panel], columns: usize) -> anyhow::Result<String> {
    anyhow::ensure!(!panels.is_empty() && columns > 0, "a figure needs a panel");
    let rows = panels.len().div_ceil(columns);
    let columns = columns.min(panels.len());
    let size = (PANEL.0 * columns as u32, PANEL.1 * rows as u32);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(broken)?;
        for (area, panel) in root.split_evenly((rows, columns)).iter().zip(panels) {
            draw_panel(area, panel)?;
        }
        root.present().map_err(broken)?;
    }
    Ok(svg)
}

fn draw_panel(area: &DrawingArea<SVGBackend<'_>, Shift>, panel: &Panel) -> anyhow::Result<()> {
    let all = || panel.series.iter().flat_map(Series::finite);
    let (x, mut y) = (range(all().map(|p| p.0)), range(all().map(|p| p.1)));
    let entries = panel.series.iter().map(|s| &s.name).collect::<BTreeSet<_>>().len();
    if entries > 1 {
        y.end += LEGEND * entries as f64 * (y.end - y.start);
    }
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 16))
        .margin(8)
        .margin_right(16)
        .x_label_area_size(38)
        .y_label_area_size(56)
        .build_cartesian_2d(x.clone(), y.clone())
        .map_err(broken)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.08))
        .x_labels(6)
        .y_labels(6)
        .label_style(("sans-serif", 12))
        .axis_desc_style(("sans-serif", 13))
        .x_desc(&panel.x_label)
        .y_desc(&panel.y_label)
        .x_label_formatter(&|v| tick(*v, &x))
        .y_label_formatter(&|v| tick(*v, &y))
        .draw()
        .map_err(broken)?;
    let mut names: Vec<&str> = Vec::new();
    for series in &panel.series {
        let known = names.iter().position(|name| *name == series.name);
        let place = known.unwrap_or(names.len());
        let colour = colour(series, place);
        let points = series.finite();
        let drawn = match series.mark {
            Mark::Dots => chart.draw_series(points.map(|p| Circle::new(p, 1.3, colour.filled()))),
            Mark::Discs => chart.draw_series(points.map(|p| Circle::new(p, 3.5, colour.filled()))),
            Mark::Line => {
                let line = PathElement::new(points.collect::<Vec<_>>(), colour.stroke_width(2));
                chart.draw_series(std::iter::once(line))
            }
        };
        let drawn = drawn.map_err(broken)?;
        if known.is_none() {
            names.push(&series.name);
            drawn.label(&series.name).legend(move |(x, y)| {
                Rectangle::new([(x, y - 4), (x + 12, y + 4)], colour.filled())
            });
        }
    }
    if names.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.2))
            .label_font(("sans-serif", 12))
            .draw()
            .map_err(broken)?;
    }
    Ok(())
}

fn colour(series: &Series, place: usize) -> RGBAColor {
    if series.background {
        return BLACK.mix(0.18);
    }
    let opacity = if series.mark == Mark::Dots { 0.6 } else { 0.85 };
    COLOURS[place % COLOURS.len()].mix(opacity)
}

/// The range of the values with a margin; never empty.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let largest = low.abs().max(high.abs());
    let width = if high > low { high - low } else { largest.max(1.0) };
    // In a narrower range the steps from tick to tick would be lost in rounding.
    let margin = (MARGIN * width).max(NARROWEST * largest).max(SMALLEST);
    low - margin..high + margin
}

/// The label of a tick, with as many decimals as the ticks of this range need.
fn tick(value: f64, range: &Range<f64>) -> String {
    let step = (range.end - range.start) / 6.0;
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    // Rounding may give a negative zero.
    let value = if value.abs() < 1e-9 * step { 0.0 } else { value };
    let plain = format!("{value:.decimals$}");
    if plain.len() <= DIGITS { plain } else { format!("{value:.1e}") }
}

/// Errors of the drawing library borrow from the drawing, so only their text is kept.
fn broken(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("cannot draw: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(points: Vec<(f64, f64)>) -> Panel {
        Panel {
            title: "a < b".to_owned(),
            x_label: "x".to_owned(),
            y_label: "y".to_owned(),
            series: vec![
                Series::new("cloud", Mark::Dots, points.clone()).behind(),
                Series::new("line", Mark::Line, points),
            ],
        }
    }

    #[test]
    fn every_finite_point_is_drawn_and_names_are_escaped() {
        let points =
            vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0), (f64::INFINITY, 0.0), (3.0, f64::MAX)];
        let svg = draw(&[panel(points)], 2).unwrap();
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("a &lt; b") && svg.contains("cloud"), "{svg}");
        assert!(svg.contains("width=\"460\""), "{svg}");
    }

    #[test]
    fn one_point_or_none_leaves_a_range() {
        assert!(draw(&[panel(vec![(1e-6, 5.0)]), panel(vec![])], 2).is_ok());
        assert!(draw(&[], 2).is_err());
    }

    #[test]
    fn ranges_of_any_size_are_drawn() {
        let next = 1e15_f64.next_up();
        for (low, high) in [
            (1e15, next),
            (-next, -1e15),
            (-9e99, 9e99),
            (9e99, 9e99_f64.next_up()),
            (5e-324, 1e-323),
            (0.0, 5e-324),
            (-5e-324, 1e-300),
        ] {
            let svg = draw(&[panel(vec![(low, high), (high, low)])], 1).unwrap();
            assert_eq!(svg.matches("<circle").count(), 2, "{low} {high}");
        }
    }

    #[test]
    fn ticks_are_short_and_distinct() {
        assert_eq!(tick(0.25, &(0.0..1.5)), "0.2");
        assert_eq!(tick(-1e-18, &(-1.0..1.0)), "0.0");
        assert_eq!(tick(2e4, &(0.0..3e4)), "20000");
        assert_eq!(tick(1.5e9, &(0.0..3e9)), "1.5e9");
    }
}
