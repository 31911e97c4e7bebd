//! Line charts as SVG text: two columns of three panels, each over a time axis.

use std::fmt::Write;

const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 34.0;
const GAP: f64 = 22.0;

/// One line.
pub(crate) struct Curve<'a> {
    pub(crate) label: &'a str,
    pub(crate) color: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// One pair of axes.
pub(crate) struct Panel<'a> {
    pub(crate) title: String,
    pub(crate) label: &'a str,
    pub(crate) range: (f64, f64),
    /// Distance of the horizontal grid lines.
    pub(crate) step: f64,
    pub(crate) curves: Vec<Curve<'a>>,
}

/// The whole picture.
pub(crate) struct Chart<'a> {
    /// Length of the time axis.
    pub(crate) seconds: f64,
    /// Time at which failure is judged.
    pub(crate) judged: f64,
    /// Altitude below which a flight is a failure.
    pub(crate) limit: f64,
    pub(crate) columns: [[Panel<'a>; 3]; 2],
}

impl Chart<'_> {
    pub(crate) fn svg(&self) -> String {
        let (width, height) = (2.0 * (LEFT + WIDTH) + GAP, TOP + 3.0 * (HEIGHT + GAP) + 24.0);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
        );
        for (c, column) in self.columns.iter().enumerate() {
            let x0 = LEFT + c as f64 * (LEFT + WIDTH);
            for (r, panel) in column.iter().enumerate() {
                let y0 = TOP + r as f64 * (HEIGHT + GAP);
                let axes = Axes { x0, y0, seconds: self.seconds, range: panel.range };
                self.panel(&mut out, &axes, panel, r);
            }
        }
        out.push_str("</svg>\n");
        out
    }

    fn panel(&self, out: &mut String, axes: &Axes, panel: &Panel<'_>, row: usize) {
        let (low, high) = panel.range;
        let (left, right) = (axes.x(0.0), axes.x(self.seconds));
        let mut tick = low;
        while tick <= high + 1e-9 {
            let y = axes.y(tick);
            line(out, (left, y), (right, y), if tick == 0.0 { "#777" } else { "#e2e2e2" }, "");
            text(out, left - 6.0, y + 4.0, "end", "#333", &format!("{tick:.0}"));
            tick += panel.step;
        }
        for second in 0..=self.seconds as u32 {
            let x = axes.x(f64::from(second));
            line(out, (x, axes.y(low)), (x, axes.y(high)), "#e2e2e2", "");
            if row == 2 {
                text(out, x, axes.y(low) + 16.0, "middle", "#333", &second.to_string());
            }
        }
        let x = axes.x(self.judged);
        line(out, (x, axes.y(low)), (x, axes.y(high)), "#777", "4 3");
        if row == 0 {
            text(out, x + 5.0, axes.y(high) + 14.0, "start", "#555", "judged here");
            let y = axes.y(self.limit);
            line(out, (left, y), (right, y), "#b00020", "4 3");
            text(out, left + 5.0, y + 14.0, "start", "#b00020", "too low");
        }
        if row == 2 {
            text(out, right, axes.y(low) + 32.0, "end", "#333", "time, s");
        }
        for (i, curve) in panel.curves.iter().enumerate() {
            out.push_str("<polyline fill=\"none\" stroke-width=\"1.8\" points=\"");
            for (t, v) in &curve.points {
                // Curves that leave the panel run along its edge.
                let _ = write!(out, "{:.1},{:.1} ", axes.x(*t), axes.y(v.clamp(low, high)));
            }
            let _ = writeln!(out, "\" stroke=\"{}\"/>", curve.color);
            let x = right - 6.0;
            text(out, x, axes.y(low) - 8.0 - 15.0 * i as f64, "end", curve.color, curve.label);
        }
        let (x, y) = (left - 44.0, axes.y(f64::midpoint(low, high)));
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"#333\" \
             transform=\"rotate(-90 {x} {y})\">{}</text>",
            panel.label
        );
        let middle = f64::midpoint(left, right);
        text(out, middle, axes.y(high) - 12.0, "middle", "#111", &panel.title);
    }
}

/// Data to picture coordinates in one panel.
struct Axes {
    x0: f64,
    y0: f64,
    seconds: f64,
    range: (f64, f64),
}

impl Axes {
    fn x(&self, t: f64) -> f64 {
        self.x0 + WIDTH * t / self.seconds
    }

    fn y(&self, v: f64) -> f64 {
        self.y0 + HEIGHT * (self.range.1 - v) / (self.range.1 - self.range.0)
    }
}

fn line(out: &mut String, from: (f64, f64), to: (f64, f64), color: &str, dash: &str) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{color}\" \
         stroke-dasharray=\"{dash}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, color: &str, words: &str) {
    if !words.is_empty() {
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{words}</text>"
        );
    }
}
