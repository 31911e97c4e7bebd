//! Rays from the origin and where they cross into failure.

use nalgebra::DMatrix;
use rand::RngExt;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::error::EvalError;
use crate::math::rng;
use crate::model::limit_state::LimitState;

/// Distance from $\sqrt d$ inwards at which nothing but safety is expected, and outwards at which
/// what is beyond no longer counts: the radius has a standard deviation of at most one.
const INWARDS: f64 = 6.0;
const OUTWARDS: f64 = 8.0;
/// Most steps in a bracket.
const STEPS: usize = 20;
/// A bracket is closed when it is narrower than this.
const CLOSED: f64 = 1e-7;

/// The radii at which crossings are looked for in `dim` coordinates.
pub(super) fn radii(dim: usize, step: f64) -> Vec<f64> {
    let centre = (dim as f64).sqrt();
    let first = (centre - INWARDS).max(0.0);
    let steps = ((centre + OUTWARDS - first) / step).ceil() as usize;
    (0..=steps).map(|i| first + i as f64 * step).collect()
}

/// A sign change of `g` along a ray.
struct Bracket {
    ray: usize,
    /// Radius and value on the near and on the far side.
    ends: [(f64, f64); 2],
    /// The side that stayed in the last step.
    stayed: Option<usize>,
}

impl Bracket {
    fn open(&self) -> bool {
        self.ends[1].0 - self.ends[0].0 > CLOSED && self.ends.iter().all(|e| e.1 != 0.0)
    }

    /// Where to look next: the secant, every third time the middle.
    fn next(&self, step: usize) -> f64 {
        let [(a, ga), (b, gb)] = self.ends;
        let secant = a + (b - a) * ga / (ga - gb);
        let inside = secant > a && secant < b;
        if step % 3 == 2 || !inside { 0.5 * (a + b) } else { secant }
    }

    /// Takes the value at `r`; a side that stays twice counts half (the Illinois rule).
    fn narrow(&mut self, r: f64, value: f64) {
        let side = usize::from((value <= 0.0) == (self.ends[1].1 <= 0.0));
        if self.stayed == Some(1 - side) {
            self.ends[1 - side].1 *= 0.5;
        }
        self.stayed = Some(1 - side);
        self.ends[side] = (r, value);
    }

    /// The crossing: the end whose value is nearer to zero.
    fn crossing(&self) -> f64 {
        let [(a, ga), (b, gb)] = self.ends;
        if ga.abs() < gb.abs() { a } else { b }
    }
}

/// Searched rays.
pub(super) struct Rays {
    /// Logarithm of the failure probability on each ray; NaN where an evaluation gave NaN.
    pub(super) ln_probability: Vec<f64>,
    /// The first failing point of each ray, the origin where there is none, `[d, n]`.
    pub(super) points: DMatrix<f64>,
    pub(super) evaluations: u64,
    /// Rays whose check contradicts the crossings.
    pub(super) contradicted: u64,
}

impl Rays {
    pub(super) fn search(
        g: &dyn LimitState,
        n: usize,
        step: f64,
        seed: u64,
    ) -> Result<Self, EvalError> {
        let d = g.dim();
        let radii = radii(d, step);
        let mut directions = rng::standard_normal(d, n, rng::derive(seed, "directions", 0));
        directions.column_iter_mut().for_each(|mut a| {
            let norm = a.norm().max(f64::MIN_POSITIVE);
            a /= norm;
        });
        let mut evaluations = 0;
        let mut values_at = |places: &[(usize, f64)]| -> Result<Vec<f64>, EvalError> {
            let mut u = DMatrix::zeros(d, places.len());
            for (mut column, (ray, r)) in u.column_iter_mut().zip(places) {
                column.axpy(*r, &directions.column(*ray), 0.0);
            }
            let values = g.evaluate(u.as_view())?;
            EvalError::check_dim(places.len(), values.len())?;
            evaluations += places.len() as u64;
            Ok(values.iter().map(|v| v.clamp(f64::MIN, f64::MAX)).collect())
        };
        // The origin is on every ray.
        let shared = usize::from(radii[0] <= 0.0);
        let origin = if shared > 0 { values_at(&[(0, 0.0)])?[0] } else { 0.0 };
        let places: Vec<(usize, f64)> =
            (0..n).flat_map(|ray| radii[shared..].iter().map(move |r| (ray, *r))).collect();
        let outer = values_at(&places)?;
        let grid: Vec<Vec<f64>> = outer
            .chunks(radii.len() - shared)
            .map(|own| if shared > 0 { [&[origin], own].concat() } else { own.to_vec() })
            .collect();
        let mut is_nan: Vec<bool> = grid.iter().map(|own| own.iter().any(|v| v.is_nan())).collect();
        let mut brackets: Vec<Bracket> = Vec::new();
        for (ray, own) in grid.iter().enumerate().filter(|(ray, _)| !is_nan[*ray]) {
            for i in 1..own.len() {
                if (own[i - 1] <= 0.0) != (own[i] <= 0.0) {
                    let ends = [(radii[i - 1], own[i - 1]), (radii[i], own[i])];
                    brackets.push(Bracket { ray, ends, stayed: None });
                }
            }
        }
        for step in 0..STEPS {
            let open: Vec<usize> = (0..brackets.len())
                .filter(|b| brackets[*b].open() && !is_nan[brackets[*b].ray])
                .collect();
            if open.is_empty() {
                break;
            }
            let places: Vec<(usize, f64)> =
                open.iter().map(|b| (brackets[*b].ray, brackets[*b].next(step))).collect();
            for ((b, (ray, r)), value) in open.iter().zip(&places).zip(values_at(&places)?) {
                if value.is_nan() {
                    is_nan[*ray] = true;
                } else {
                    brackets[*b].narrow(*r, value);
                }
            }
        }
        let mut random = rng::stream(rng::derive(seed, "checks", 0), 0);
        let (first, last) = (radii[0], radii[radii.len() - 1]);
        let checks: Vec<(usize, f64)> =
            (0..n).map(|ray| (ray, first + (last - first) * random.random::<f64>())).collect();
        let checked = values_at(&checks)?;
        let chi = ChiSquared::new(d as f64).expect("there is a coordinate");
        let (mut ln_probability, mut points) = (Vec::new(), DMatrix::zeros(d, n));
        let mut contradicted = 0;
        for ray in 0..n {
            let crossings: Vec<f64> =
                brackets.iter().filter(|b| b.ray == ray).map(Bracket::crossing).collect();
            let fails_at_first = grid[ray][0] <= 0.0;
            let mut edges = crossings.clone();
            if fails_at_first {
                edges.insert(0, first);
            }
            let signed = edges.iter().enumerate().map(|(i, r)| {
                let tail = if *r <= 0.0 { 1.0 } else { chi.sf(r * r) };
                if i % 2 == 0 { tail } else { -tail }
            });
            let probability = signed.sum::<f64>().max(0.0);
            ln_probability.push(if is_nan[ray] { f64::NAN } else { probability.ln() });
            if let Some(r) = edges.first() {
                points.column_mut(ray).axpy(*r, &directions.column(ray), 0.0);
            }
            let r = checks[ray].1;
            let fails = fails_at_first != (crossings.iter().filter(|c| **c <= r).count() % 2 == 1);
            let value = checked[ray];
            contradicted += u64::from(!is_nan[ray] && !value.is_nan() && (value <= 0.0) != fails);
        }
        Ok(Self { ln_probability, points, evaluations, contradicted })
    }
}
