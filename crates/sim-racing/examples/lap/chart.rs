//! A map of the track as SVG text, one unit per metre.

use std::fmt::Write;

/// Margin around the track, m.
const MARGIN: f64 = 24.0;

/// The picture as far as it is drawn.
pub(crate) struct Chart {
    body: String,
    /// Corner with the least coordinates, and the opposite one.
    low: [f64; 2],
    high: [f64; 2],
    keys: usize,
}

impl Chart {
    /// A map of a track with the centre line, its vertices and the lane.
    pub(crate) fn new(vertices: &[[f64; 2]], half_width: f64) -> Self {
        let bound = |axis: usize, sign: f64| {
            sign * vertices.iter().map(|v| sign * v[axis]).fold(f64::MIN, f64::max)
        };
        let reach = half_width + MARGIN;
        let mut chart = Self {
            body: String::new(),
            low: [bound(0, -1.0) - reach, bound(1, -1.0) - reach],
            high: [bound(0, 1.0) + reach, bound(1, 1.0) + reach],
            keys: 0,
        };
        let points: String = vertices.iter().fold(String::new(), |mut points, v| {
            let [x, y] = chart.place(*v);
            let _ = write!(points, "{x:.1},{y:.1} ");
            points
        });
        for (color, width) in [("#c9c9c9", 2.0 * half_width + 1.0), ("#f1f1f1", 2.0 * half_width)] {
            chart.polygon(&points, color, width);
        }
        chart.polygon(&points, "#bbbbbb", 0.6);
        for v in vertices {
            chart.dot(*v, "#888888");
        }
        let start = chart.place([0.0, 0.0]);
        let _ = writeln!(
            chart.body,
            "<path d=\"M {:.1} {:.1} h 30\" stroke=\"#111\" stroke-width=\"1.2\"/>",
            start[0] - 15.0,
            start[1]
        );
        chart
    }

    fn polygon(&mut self, points: &str, color: &str, width: f64) {
        let _ = writeln!(
            self.body,
            "<polygon points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" \
             stroke-linejoin=\"round\"/>"
        );
    }

    fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [x - self.low[0], self.high[1] - y]
    }

    /// A dot at a position.
    pub(crate) fn dot(&mut self, at: [f64; 2], color: &str) {
        let [x, y] = self.place(at);
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"0.9\" fill=\"{color}\" fill-opacity=\"0.6\"/>"
        );
    }

    /// A piece of the drive.
    pub(crate) fn segment(&mut self, from: [f64; 2], to: [f64; 2], color: &str) {
        let ([a, b], [c, d]) = (self.place(from), self.place(to));
        let _ = writeln!(
            self.body,
            "<path d=\"M {a:.2} {b:.2} L {c:.2} {d:.2}\" stroke=\"{color}\" stroke-width=\"1.6\" \
             stroke-linecap=\"round\"/>"
        );
    }

    /// A mark with words beside a position.
    pub(crate) fn label(&mut self, at: [f64; 2], words: &str) {
        let [x, y] = self.place(at);
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\" fill=\"white\" stroke=\"#111\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#111\">{words}</text>",
            x + 4.0,
            y - 3.0
        );
    }

    /// A line of the key.
    pub(crate) fn key(&mut self, words: &str, color: &str) {
        let y = 12.0 + 11.0 * self.keys as f64;
        let _ = writeln!(
            self.body,
            "<path d=\"M 8 {y} h 14\" stroke=\"{color}\" stroke-width=\"2.4\"/>\n\
             <text x=\"26\" y=\"{:.1}\" fill=\"#333\">{words}</text>",
            y + 3.0
        );
        self.keys += 1;
    }

    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let (width, height) = (self.high[0] - self.low[0], self.high[1] - self.low[1]);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{:.0}\" height=\"{:.0}\" font-family=\"sans-serif\" font-size=\"9\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{}</svg>\n",
            1.5 * width,
            1.5 * height,
            self.body
        )
    }
}
