//! The picture of a system: outcomes, failures and ellipsoids in target and in latent space.

use latent_is::{Transport, rng::derive};
use mvee::{Ellipsoid, Union};
use nalgebra::DMatrix;

use super::{Event, Method, Preset, RowKey, Space, setup::Setup, trial::estimate};
use crate::figures::{Mark, Panel, Series, draw};

/// Most points of a cloud.
const POINTS: usize = 2_000;
/// Corners of the outline of an ellipsoid.
const CORNERS: usize = 96;

/// Two panels a failure region, target space at the left: the two coordinates in which its failures
/// lie farthest from the origin.
///
/// # Errors
/// When the search for failures or the drawing fails.
pub(super) fn figure(setup: &Setup, system: &str, seed: u64) -> anyhow::Result<String> {
    let (transport, kept) = (setup.transport(), setup.kept());
    let flow = transport.flow();
    let outcomes = flow.standardise().apply(kept.outcomes.as_view());
    let failures = first(&kept.failures);
    let key = RowKey {
        space: Space::Latent,
        method: Method::Ce,
        preset: Preset::Default,
        event: Event::True,
    };
    let found = first(&estimate(setup, key, derive(seed, "figure", 0))?.sample.points);
    let target = Clouds {
        what: "target space, standardised",
        outcomes: first(&outcomes),
        found: transport.decode_points(found.as_view())?,
        failures: failures.clone(),
        union: setup.failure(),
        name: &|i| setup.names()[i].clone(),
    };
    let latent = Clouds {
        what: "latent space, surrogate ellipsoids",
        outcomes: transport.encode(target.outcomes.as_view())?.points,
        failures: transport.encode(failures.as_view())?.points,
        found,
        union: setup.surrogate(),
        name: &|i| format!("u{}", i + 1),
    };
    let mut panels = Vec::new();
    for (k, region) in setup.failure().members().iter().enumerate() {
        let inside: Vec<usize> = (0..failures.ncols())
            .filter(|&j| region.contains(failures.column(j).as_slice()))
            .collect();
        for clouds in [&target, &latent] {
            let axes = farthest(&clouds.failures.select_columns(&inside));
            panels.push(clouds.panel(&format!("{system}, region {}", k + 1), axes));
        }
    }
    draw(&panels, 2)
}

/// What is drawn of one space; every matrix is `[d, n]`.
struct Clouds<'a> {
    what: &'a str,
    outcomes: DMatrix<f64>,
    failures: DMatrix<f64>,
    found: DMatrix<f64>,
    union: &'a Union,
    name: &'a dyn Fn(usize) -> String,
}

impl Clouds<'_> {
    fn panel(&self, system: &str, axes: [usize; 2]) -> Panel {
        let cloud = |name: &str, x: &DMatrix<f64>| {
            let points = x.column_iter().map(|x| (x[axes[0]], x[axes[1]])).collect();
            Series::new(name, Mark::Dots, points)
        };
        let mut series = vec![
            cloud("outcomes", &self.outcomes).behind(),
            cloud("simulated failures", &self.failures),
            cloud("failures found", &self.found),
        ];
        let outline = |member| Series::new("ellipsoids", Mark::Line, outline(member, axes));
        series.extend(self.union.members().iter().map(outline));
        Panel {
            title: format!("{system}: {}", self.what),
            x_label: (self.name)(axes[0]),
            y_label: (self.name)(axes[1]),
            series,
        }
    }
}

fn first(x: &DMatrix<f64>) -> DMatrix<f64> {
    x.columns(0, POINTS.min(x.ncols())).into()
}

/// The two coordinates whose means lie farthest from zero.
fn farthest(x: &DMatrix<f64>) -> [usize; 2] {
    let mean = x.column_mean();
    let mut order: Vec<usize> = (0..x.nrows()).collect();
    order.sort_by(|a, b| mean[*b].abs().total_cmp(&mean[*a].abs()));
    let mut axes = [order[0], *order.get(1).unwrap_or(&order[0])];
    axes.sort_unstable();
    axes
}

/// The outline of an ellipsoid's shadow on two coordinates: the ellipse of the block of its shape.
fn outline(ellipsoid: &Ellipsoid, [i, j]: [usize; 2]) -> Vec<(f64, f64)> {
    let (c, s) = (ellipsoid.center(), ellipsoid.shape());
    // Cholesky factor of the block.
    let a = s[(i, i)].sqrt();
    let b = s[(i, j)] / a;
    let rest = (s[(j, j)] - b * b).max(0.0).sqrt();
    (0..=CORNERS)
        .map(|k| {
            let (sin, cos) = (std::f64::consts::TAU * k as f64 / CORNERS as f64).sin_cos();
            (c[i] + a * cos, c[j] + b * cos + rest * sin)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use nalgebra::DVector;

    use super::*;

    #[test]
    fn a_shadow_touches_what_the_ellipsoid_reaches() {
        let shape = DMatrix::from_row_slice(3, 3, &[4.0, 1.0, 0.3, 1.0, 2.0, 0.1, 0.3, 0.1, 1.0]);
        let ellipsoid = Ellipsoid::new(DVector::from_vec(vec![1.0, 2.0, 3.0]), shape).unwrap();
        let line = outline(&ellipsoid, [0, 1]);
        // Half-widths of the shadow are roots of the shape's diagonal.
        let reach = |pick: fn(&(f64, f64)) -> f64| line.iter().map(pick).fold(f64::MIN, f64::max);
        assert!((reach(|p| p.0) - 3.0).abs() < 1e-2);
        assert!((reach(|p| p.1) - (2.0 + 2.0_f64.sqrt())).abs() < 1e-2);
    }

    #[test]
    fn the_axes_are_those_of_the_largest_means() {
        let x = DMatrix::from_column_slice(3, 2, &[0.1, -4.0, 2.0, 0.3, -4.0, 2.0]);
        assert_eq!(farthest(&x), [1, 2]);
        assert_eq!(farthest(&DMatrix::from_element(1, 2, 1.0)), [0, 0]);
    }
}
