//! Panels of a scatter plot as SVG.

use std::fmt::Write as _;

use nalgebra::DMatrix;

/// Side of a panel, in pixels.
const SIDE: f64 = 320.0;
/// Space around the panels: left, between them, above, below.
const LEFT: f64 = 60.0;
const ABOVE: f64 = 40.0;
const BELOW: f64 = 50.0;

/// What a point stands for; shapes differ as well as colours (Okabe and Ito, 2008).
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    /// An outcome.
    Outcome,
    /// A failure at the first obstacle.
    FirstFailure,
    /// A failure at the second obstacle.
    SecondFailure,
}

impl Mark {
    fn draw(self, svg: &mut String, x: f64, y: f64) {
        let shape = match self {
            Self::Outcome => format!(r##"<circle cx="{x:.1}" cy="{y:.1}" r="1.1" fill="#aaa"/>"##),
            Self::FirstFailure => {
                format!(r##"<circle cx="{x:.1}" cy="{y:.1}" r="2.6" fill="#d55e00"/>"##)
            }
            Self::SecondFailure => {
                let (a, b) = (x - 2.4, y - 2.4);
                format!(
                    r##"<rect x="{a:.1}" y="{b:.1}" width="4.8" height="4.8" fill="#0072b2"/>"##
                )
            }
        };
        svg.push_str(&shape);
    }
}

/// One panel with its axes.
pub(crate) struct Panel {
    title: &'static str,
    labels: (&'static str, &'static str),
    x: (f64, f64),
    y: (f64, f64),
    body: String,
}

impl Panel {
    /// An empty panel that shows the ranges `x` and `y`.
    pub(crate) fn new(
        title: &'static str,
        labels: (&'static str, &'static str),
        x: (f64, f64),
        y: (f64, f64),
    ) -> Self {
        Self { title, labels, x, y, body: String::new() }
    }

    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let share = |v: f64, (low, high): (f64, f64)| (v - low) / (high - low);
        (SIDE * share(x, self.x), SIDE * (1.0 - share(y, self.y)))
    }

    /// Adds the first two coordinates of the columns of `points`.
    pub(crate) fn points(&mut self, points: &DMatrix<f64>, mark: Mark) {
        for point in points.column_iter() {
            let (x, y) = self.place(point[0], point[1]);
            mark.draw(&mut self.body, x, y);
        }
    }

    /// Adds the outline of a circle.
    pub(crate) fn circle(&mut self, centre: (f64, f64), radius: f64) {
        let (x, y) = self.place(centre.0, centre.1);
        let r = SIDE * radius / (self.x.1 - self.x.0);
        write!(
            self.body,
            r##"<circle cx="{x:.1}" cy="{y:.1}" r="{r:.1}" fill="none" stroke="#333" stroke-dasharray="3 3"/>"##
        )
        .expect("strings take all text");
    }

    /// Tick marks at round numbers, about five per axis.
    fn axes(&self) -> String {
        let mut svg = String::new();
        for (along_x, (low, high)) in [(true, self.x), (false, self.y)] {
            let step = if high - low > 100.0 { 100.0 } else { 2.0 };
            let mut tick = (low / step).ceil() * step;
            while tick <= high {
                let (x, y) = if along_x {
                    (self.place(tick, 0.0).0, SIDE + 16.0)
                } else {
                    (-8.0, self.place(0.0, tick).1 + 4.0)
                };
                let anchor = if along_x { "middle" } else { "end" };
                write!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{tick}</text>"#)
                    .expect("strings take all text");
                tick += step;
            }
        }
        svg
    }
}

/// The panels beside each other.
pub(crate) fn side_by_side(panels: &[Panel]) -> String {
    let width = panels.len() as f64 * (SIDE + LEFT) + 20.0;
    let height = SIDE + ABOVE + BELOW;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" font-size="12"><title>Outcomes of a robot in target space and in latent space</title><desc>Left: final positions of the robot, a curved cloud with four lobes, and failures near two obstacles. Right: the same points in the latent space of a flow, a round standard normal cloud with the failures near its edge.</desc><rect width="100%" height="100%" fill="white"/><clipPath id="panel"><rect width="{SIDE}" height="{SIDE}"/></clipPath>"#
    );
    for (i, panel) in panels.iter().enumerate() {
        let x = LEFT + i as f64 * (SIDE + LEFT);
        let (half, low) = (SIDE / 2.0, SIDE + 36.0);
        write!(
            svg,
            r##"<g transform="translate({x} {ABOVE})"><text x="{half}" y="-14" text-anchor="middle" font-size="15">{}</text><g clip-path="url(#panel)">{}</g><rect width="{SIDE}" height="{SIDE}" fill="none" stroke="#333"/>{}<text x="{half}" y="{low}" text-anchor="middle">{}</text><text transform="translate(-38 {half}) rotate(-90)" text-anchor="middle">{}</text></g>"##,
            panel.title,
            panel.body,
            panel.axes(),
            panel.labels.0,
            panel.labels.1
        )
        .expect("strings take all text");
    }
    svg.push_str("</svg>\n");
    svg
}
