//! The figure of a system: outcomes, failures and ellipsoids in target space and in latent space.

use latent_is::Transport;
use mvee::{Ellipsoid, Union};
use nalgebra::DMatrix;

use crate::{
    figures::chart::{Mark, Panel, Series, draw},
    reproduce::setup::Setup,
};

/// Largest number of points in a cloud.
const POINTS: usize = 2_000;
/// Number of line segments in the outline of an ellipsoid.
const SEGMENTS: usize = 96;

/// Two panels per failure region, target space on the left. The axes are the two coordinates in which
/// the failures of the region are farthest from the origin.
///
/// # Shapes
/// - `found`: `[d, n]`, latent points of failures that an estimator found
///
/// # Errors
/// When the flow or the drawing fails.
pub fn samples(setup: &Setup, system: &str, found: &DMatrix<f64>) -> anyhow::Result<String> {
    let (transport, reference) = (setup.transport(), setup.samples());
    let outcomes = transport.flow().standardise().apply(reference.outcomes.as_view());
    let failures = first(&reference.failures);
    let found = first(found);
    let target = Clouds {
        title: "target space, standardised",
        outcomes: first(&outcomes),
        found: transport.decode_points(found.as_view())?,
        failures: failures.clone(),
        union: setup.failure(),
        name: &|i| setup.names()[i].clone(),
    };
    let latent = Clouds {
        title: "latent space, surrogate ellipsoids",
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

/// The points to draw in one space; every matrix is `[d, n]`.
struct Clouds<'a> {
    title: &'a str,
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
            title: format!("{system}: {}", self.title),
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

/// The outline of the projection of an ellipsoid on two coordinates: the ellipse of the corresponding
/// block of its shape matrix.
fn outline(ellipsoid: &Ellipsoid, [i, j]: [usize; 2]) -> Vec<(f64, f64)> {
    let (c, s) = (ellipsoid.center(), ellipsoid.shape());
    // Cholesky factor of the block.
    let a = s[(i, i)].sqrt();
    let b = s[(i, j)] / a;
    let rest = (s[(j, j)] - b * b).max(0.0).sqrt();
    (0..=SEGMENTS)
        .map(|k| {
            let (sin, cos) = (std::f64::consts::TAU * k as f64 / SEGMENTS as f64).sin_cos();
            (c[i] + a * cos, c[j] + b * cos + rest * sin)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use nalgebra::DVector;

    use super::*;

    #[test]
    fn a_projection_is_as_wide_as_the_ellipsoid() {
        let shape = DMatrix::from_row_slice(3, 3, &[4.0, 1.0, 0.3, 1.0, 2.0, 0.1, 0.3, 0.1, 1.0]);
        let ellipsoid = Ellipsoid::new(DVector::from_vec(vec![1.0, 2.0, 3.0]), shape).unwrap();
        let line = outline(&ellipsoid, [0, 1]);
        // Half-widths of the projection are square roots of the diagonal of the shape matrix.
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
