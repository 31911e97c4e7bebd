//! Draws a flow of the plane: data and draws, density, and a decoded latent grid.

use std::fmt::Write as _;

use flow_core::{Flow, FlowError};
use nalgebra::DMatrix;

/// Side of a panel, in pixels.
const SIDE: f64 = 300.0;
/// Cells of the density along a side.
const CELLS: usize = 60;

/// The part of the plane that is shown.
struct Window {
    left: f64,
    bottom: f64,
    width: f64,
}

impl Window {
    /// The square that holds all of `x`, with a margin.
    fn around(x: &DMatrix<f64>) -> Self {
        let (low, high) = ([x.row(0).min(), x.row(1).min()], [x.row(0).max(), x.row(1).max()]);
        let width = 1.1 * (high[0] - low[0]).max(high[1] - low[1]);
        let start = |i: usize| 0.5 * (low[i] + high[i] - width);
        Self { left: start(0), bottom: start(1), width }
    }

    /// Place of a point in the panel.
    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let scale = SIDE / self.width;
        (scale * (x - self.left), SIDE - scale * (y - self.bottom))
    }
}

/// The three panels as SVG.
pub(crate) fn draw(flow: &Flow, data: &DMatrix<f64>) -> Result<String, FlowError> {
    let shown = 800;
    let window = Window::around(&data.columns(0, shown).into());
    let panels = [
        ("data (grey) and draws of the flow", dots(&window, flow, data, shown)?),
        ("density", density(&window, flow)?),
        ("latent grid, one bold line per standard deviation", grid(&window, flow)?),
    ];
    let gap = 20.0;
    let (width, height) = (3.0 * SIDE + 4.0 * gap, SIDE + 60.0);
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/><clipPath id="panel"><rect width="{SIDE}" height="{SIDE}"/></clipPath>"#
    );
    for (i, (title, body)) in panels.iter().enumerate() {
        let x = gap + i as f64 * (SIDE + gap);
        write!(
            svg,
            r#"<g transform="translate({x} 40)"><text x="0" y="-12">{title}</text><g clip-path="url(#panel)">{body}</g><rect width="{SIDE}" height="{SIDE}" fill="none" stroke="black"/></g>"#
        )
        .expect("writing to a string does not fail");
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn dots(window: &Window, flow: &Flow, data: &DMatrix<f64>, n: usize) -> Result<String, FlowError> {
    let draws = flow.sample(n, 3)?;
    let mut svg = String::new();
    for (points, colour) in [(&data.columns(0, n).into(), "#999"), (&draws, "#c22")] {
        let points: &DMatrix<f64> = points;
        for point in points.column_iter() {
            let (x, y) = window.place(point[0], point[1]);
            write!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="1" fill="{colour}"/>"#)
                .expect("writing to a string does not fail");
        }
    }
    Ok(svg)
}

fn density(window: &Window, flow: &Flow) -> Result<String, FlowError> {
    let step = window.width / CELLS as f64;
    let centre = |i: usize| (i as f64 + 0.5) * step;
    let points = DMatrix::from_fn(2, CELLS * CELLS, |i, j| match i {
        0 => window.left + centre(j % CELLS),
        _ => window.bottom + centre(j / CELLS),
    });
    let density = flow.ln_pdf(points.as_view())?.map(f64::exp);
    let most = density.max();
    let size = SIDE / CELLS as f64;
    let mut svg = String::new();
    for (point, p) in points.column_iter().zip(density.iter()) {
        let (x, y) = window.place(point[0] - 0.5 * step, point[1] + 0.5 * step);
        // The square root shows the tails.
        let shade = (p / most).sqrt();
        if shade > 0.01 {
            write!(
                svg,
                r##"<rect x="{x:.2}" y="{y:.2}" width="{size:.2}" height="{size:.2}" fill="#147" fill-opacity="{shade:.2}"/>"##
            )
            .expect("writing to a string does not fail");
        }
    }
    Ok(svg)
}

fn grid(window: &Window, flow: &Flow) -> Result<String, FlowError> {
    let samples = 121;
    let mut svg = String::new();
    for axis in 0..2 {
        for half in -6_i32..=6 {
            let fixed = 0.5 * f64::from(half);
            let line = DMatrix::from_fn(2, samples, |i, j| {
                if i == axis { fixed } else { 6.0 * j as f64 / (samples - 1) as f64 - 3.0 }
            });
            let decoded = flow.decode_points(line.as_view())?;
            let points: Vec<String> = decoded
                .column_iter()
                .map(|p| window.place(p[0], p[1]))
                .map(|(x, y)| format!("{x:.1},{y:.1}"))
                .collect();
            let (colour, width) =
                (if axis == 0 { "#147" } else { "#c22" }, if half % 2 == 0 { 1.2 } else { 0.4 });
            write!(
                svg,
                r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#,
                points.join(" ")
            )
            .expect("writing to a string does not fail");
        }
    }
    Ok(svg)
}
