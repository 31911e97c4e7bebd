//! The search: solves for a core set, examines all points, adds the farthest and removes those that cannot
//! touch the optimum.
//!
//! Optimality on a core set is cheap. A pass over all points then gives the gap, the points to add, and
//! the points that no optimal ellipsoid can touch. With $\varepsilon = \max_i \kappa_i - m$ at some weights,
//! a point lies in the interior of the smallest ellipsoid of all if
//!
//! $$ \kappa_i < m \left( 1 + \frac\varepsilon 2 - \frac 1 2 \sqrt{\varepsilon (4 + \varepsilon - 4 / m)} \right). \tag{1} $$
//!
//! # References
//! - R. Harman, L. Pronzato: Improvements on removing nonoptimal support points in D-optimum design
//!   algorithms. *Statistics & Probability Letters* 77 (2007), 90–94.

use super::core_set::CoreSet;
use super::initial::kumar_yildirim;
use crate::frame::Frame;
use crate::linalg::{axpy, cholesky, invert_lower, lower_times, multiply_lower};
use crate::points::{Points, largest};
use crate::solution::Termination;

/// Largest number of points that are copied to the coordinates of the frame at once.
const SMALL: usize = 20_000;

/// The weights found, and their ellipsoid in the coordinates of the frame.
pub(super) struct Optimum {
    pub(super) support: Vec<usize>,
    pub(super) weights: Vec<f64>,
    pub(super) center: Vec<f64>,
    /// Factor of the shape $d S(u)$, row-major.
    pub(super) lower: Vec<f64>,
    pub(super) iterations: usize,
    pub(super) stopped: Termination,
}

/// The points that are still considered: all in their original coordinates, or some in those of the frame.
enum Active {
    All,
    Some { ids: Vec<usize>, points: Points<'static> },
}

pub(super) fn search(points: &Points<'_>, frame: &Frame, tolerance: f64, limit: usize) -> Optimum {
    let (d, m) = (points.d, points.d + 1);
    let mut norms = vec![0.0; points.n];
    points.squared_norms(&frame.center, &frame.inverse, &mut norms);
    let gather = |ids: &[usize]| points.transformed(ids, &frame.center, &frame.inverse);
    let mut active = Active::All;
    if points.n <= SMALL {
        let ids: Vec<usize> = (0..points.n).collect();
        active = Active::Some { points: gather(&ids), ids };
    }
    let mut core = start(points.n, d, &norms, gather);
    let mut member = vec![false; points.n];
    for &i in &core.ids {
        member[i] = true;
    }

    let mut known_gap = f64::INFINITY;
    let stopped = loop {
        let target = (0.05 * known_gap).clamp(0.3 * tolerance, 1e-2);
        solve_core(&mut core, target, limit);
        let (center, lower) = ellipsoid(&core);
        let inverse = invert_lower(&lower, d);
        match &active {
            Active::All => {
                let t = multiply_lower(&inverse, &frame.inverse, d);
                let mut c = lower_times(&frame.lower, &center);
                c.iter_mut().zip(&frame.center).for_each(|(c, f)| *c += f);
                points.squared_norms(&c, &t, &mut norms);
            }
            Active::Some { points, .. } => {
                norms.truncate(points.n);
                points.squared_norms(&center, &inverse, &mut norms);
            }
        }
        let kappa = |norm: f64| 1.0 + d as f64 * norm;
        let highest = kappa(norms.iter().fold(0.0_f64, |a, &b| a.max(b)));
        let gap = highest / m as f64 - 1.0;
        if gap <= 0.5 * tolerance {
            break Termination::Converged;
        }
        if core.iterations >= limit {
            break Termination::IterationLimit;
        }
        let floor = (hopeless_below(highest, m) * (1.0 - 1e-9) - 1.0) / d as f64;
        let above = (m as f64 * (1.0 + 0.1 * tolerance) - 1.0) / d as f64;
        let name = |i: usize| match &active {
            Active::All => i,
            Active::Some { ids, .. } => ids[i],
        };
        let fresh: Vec<usize> =
            largest(&norms, 4 * m, above).into_iter().map(name).filter(|&id| !member[id]).collect();
        if fresh.is_empty() && core.gap().0 <= target && target <= 0.3 * tolerance {
            break Termination::Rounding; // every point outside is already in the core set
        }
        let stuck = fresh.is_empty() && gap >= known_gap;
        if stuck {
            break Termination::Rounding;
        }
        known_gap = if fresh.is_empty() { 0.1 * gap.min(known_gap) } else { gap };
        for &i in &fresh {
            member[i] = true;
        }
        core.push(&gather(&fresh), &(0..fresh.len()).collect::<Vec<_>>(), &fresh);
        core.refresh();
        active = eliminate(active, &norms, floor, points.n, gather);
    };
    let (center, lower) = ellipsoid(&core);
    let mut support: Vec<(usize, f64)> =
        core.ids.iter().copied().zip(core.u.iter().copied()).filter(|s| s.1 > 0.0).collect();
    support.sort_unstable_by_key(|s| s.0);
    let (support, weights) = support.into_iter().unzip();
    Optimum { support, weights, center, lower, iterations: core.iterations, stopped }
}

/// A core set that spans the space, made of far points.
fn start(
    n: usize,
    d: usize,
    norms: &[f64],
    gather: impl Fn(&[usize]) -> Points<'static>,
) -> CoreSet {
    let far = if n <= 16 * (d + 1) {
        (0..n).collect()
    } else {
        largest(norms, 8 * (d + 1), f64::NEG_INFINITY)
    };
    let candidates = gather(&far);
    let local: Vec<usize> = (0..far.len()).collect();
    if let Some(pairs) = kumar_yildirim(&candidates, &local, 1e-3)
        && let Some(core) = CoreSet::new(&candidates, &local, &far, &pairs)
    {
        return core;
    }
    // The farthest points lie close together: use the extremes of all points.
    let all: Vec<usize> = (0..n).collect();
    let everything = gather(&all);
    let pairs = kumar_yildirim(&everything, &all, 0.0).unwrap_or_else(|| all.clone());
    let core = CoreSet::new(&everything, &pairs, &pairs, &(0..pairs.len()).collect::<Vec<_>>());
    core.expect("points of unit covariance span the space")
}

/// Steps on the core set until its own gap is at most `target`.
fn solve_core(core: &mut CoreSet, target: f64, limit: usize) {
    let m = core.m;
    let mut failures = 0;
    core.wander(0.1_f64.max(target), (20 * m).min(limit.saturating_sub(core.iterations)));
    while core.gap().0 > target && core.iterations < limit && failures < 4 {
        if !core.newton() {
            failures += 1;
            core.wander(target, (10 * m).min(limit.saturating_sub(core.iterations)));
        }
    }
}

/// Centre and factor of the shape $d S(u)$, about the centre to keep their digits.
fn ellipsoid(core: &CoreSet) -> (Vec<f64>, Vec<f64>) {
    let d = core.m - 1;
    let support: Vec<usize> = (0..core.u.len()).filter(|&i| core.u[i] > 0.0).collect();
    let total: f64 = support.iter().map(|&i| core.u[i]).sum();
    let center: Vec<f64> = core
        .rows
        .iter()
        .map(|row| support.iter().map(|&i| core.u[i] * row[i]).sum::<f64>() / total)
        .collect();
    let mut shape = vec![0.0; d * d];
    let mut y = vec![0.0; d];
    for &i in &support {
        y.iter_mut().zip(core.rows.iter().zip(&center)).for_each(|(y, (row, c))| *y = row[i] - c);
        for a in 0..d {
            axpy(d as f64 * core.u[i] / total * y[a], &y[..=a], &mut shape[a * d..=a * d + a]);
        }
    }
    cholesky(&mut shape, d, 0.0).expect("the weights of a core set span the space");
    (center, shape)
}

/// The bound (1): a point with smaller κ cannot touch the optimal ellipsoid.
fn hopeless_below(highest: f64, m: usize) -> f64 {
    let m = m as f64;
    let e = (highest - m).max(0.0);
    m * (1.0 + 0.5 * e - 0.5 * (e * (4.0 + e - 4.0 / m)).sqrt())
}

/// Keeps the points whose norm is at least `floor`, when this removes enough points to save time.
fn eliminate(
    active: Active,
    norms: &[f64],
    floor: f64,
    n: usize,
    gather: impl Fn(&[usize]) -> Points<'static>,
) -> Active {
    let kept: Vec<usize> = (0..norms.len()).filter(|&i| norms[i] >= floor).collect();
    match active {
        Active::All if kept.len() > n / 4 => Active::All,
        Active::All => Active::Some { points: gather(&kept), ids: kept },
        Active::Some { ids, points } if kept.len() > ids.len() * 3 / 4 => {
            Active::Some { ids, points }
        }
        Active::Some { ids, points } => {
            let d = points.d;
            let mut data = Vec::with_capacity(kept.len() * d);
            for &i in &kept {
                data.extend_from_slice(points.column(i));
            }
            let ids = kept.iter().map(|&i| ids[i]).collect();
            Active::Some { ids, points: Points::owned(d, data) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_keeps_all_when_nothing_is_known_and_only_the_surface_at_the_optimum() {
        assert!((hopeless_below(13.0, 13) - 13.0).abs() < 1e-12);
        assert!((hopeless_below(1e9, 13) - 1.0).abs() < 1e-6);
        let bound = hopeless_below(13.13, 13);
        assert!((9.0..9.5).contains(&bound), "{bound}");
    }
}
